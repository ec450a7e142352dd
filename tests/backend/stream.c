#include "tests/backend/stream.h"

#include "tests/backend/memory.h"
#include "tests/backend/server.h"
#include "tests/backend/wait.h"

#define BLOCK_SIZE (64 * KIB)

size_t body_blanks(Exchange *e, uint64_t pos, char *buf, size_t max) {
    memset(buf, ' ', max);
    return max;
}

static size_t body_read(Exchange *e, uint64_t pos, char *buf, size_t max) {
    if (e->reply.read)
        return e->reply.read(e, pos, buf, max);
    memcpy(buf, e->reply.body + pos, max);
    return max;
}

/* Bytes that may come before the delivery wants something else. */
static uint64_t until_end(const Exchange *e, uint64_t pos) {
    uint64_t end = e->reply.size;

    if (e->delivery.end != DELIVERY_ALL)
        end = MIN(end, e->delivery.after);
    return end > pos ? end - pos : 0;
}

static ssize_t ended(Exchange *e) {
    switch (e->delivery.end) {
    case DELIVERY_ALL:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case DELIVERY_HANG:
        wait_begin(e, USEC_INFINITY);
        return 0;
    case DELIVERY_RESET:
        socket_reset(e->fd);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    case DELIVERY_SHORT:
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static bool is_pause(const Exchange *e, uint64_t pos) {
    const Delivery *d = &e->delivery;

    return d->piece > 0 && pos > 0 && pos % d->piece == 0 && e->paused_at != pos;
}

static ssize_t on_more(void *cls, uint64_t pos, char *buf, size_t max) {
    Exchange *e = cls;

    if (e->wait.gone || e->server->stopping)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    uint64_t left = until_end(e, pos);
    if (left == 0)
        return ended(e);
    if (is_pause(e, pos)) {
        e->paused_at = pos;
        wait_begin(e, e->delivery.pause_usec);
        return 0;
    }
    if (e->delivery.piece > 0)
        left = MIN(left, e->delivery.piece - pos % e->delivery.piece);
    size_t n = body_read(e, pos, buf, MIN(max, left));
    return n > 0 ? (ssize_t)n : (ssize_t)MHD_CONTENT_READER_END_WITH_ERROR;
}

static bool is_plain(const Exchange *e) {
    const Delivery *d = &e->delivery;

    return !e->reply.read && d->end == DELIVERY_ALL && d->piece == 0 && !d->chunked;
}

static struct MHD_Response *response_new(Exchange *e) {
    bool unknown = e->delivery.chunked || e->reply.size == UINT64_MAX;

    if (is_plain(e))
        return MHD_create_response_from_buffer(e->reply.size, TAKE_PTR(e->reply.body),
                                               MHD_RESPMEM_MUST_FREE);
    return MHD_create_response_from_callback(unknown ? MHD_SIZE_UNKNOWN : e->reply.size, BLOCK_SIZE,
                                             on_more, e, NULL);
}

enum MHD_Result stream_send(Exchange *e) {
    struct MHD_Response *response = must(response_new(e));

    for (size_t i = 0; i < e->reply.n_headers; i += 2)
        (void)MHD_add_response_header(response, e->reply.headers[i], e->reply.headers[i + 1]);
    enum MHD_Result r = MHD_queue_response(e->connection, e->reply.status, response);
    MHD_destroy_response(response);
    return r;
}
