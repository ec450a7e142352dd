/* What a command says on its NOTIFY_SOCKET: datagrams, divided by 0xff. Whatever they are, what is
 * passed on fits into one message, and can be read as one. */

#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/shim/shim-notify.h"
#include "tests/fuzz/fuzz-state.h"
#include "tests/fuzz/fuzz.h"

typedef struct Command {
    ShimNotify notify;
    ShimProgress progress;
} Command;

/* As the socket hands them on: of no more than so many bytes, none of them NUL. */
static void take(Command *c, const uint8_t *data, size_t size) {
    char datagram[FIELDS_MAX + 1];
    ProgressState before = {.fraction = -1};

    if (size > FIELDS_MAX || (size > 0 && memchr(data, '\0', size)))
        return;
    if (c->progress.reader)
        before = *progress_reader_state(c->progress.reader);
    memcpy(datagram, data, size);
    datagram[size] = '\0';
    shim_notify_take(&c->notify, &c->progress, datagram);
    if (c->progress.reader)
        fuzz_check_step(&before, progress_reader_state(c->progress.reader));
    MUST(c->notify.messages.n <= MESSAGE_QUEUE_MAX);
}

static void check_told(const Command *c) {
    _cleanup_free_ Fields *fields = calloc(1, sizeof(Fields));
    _cleanup_free_ char *text = NULL;
    double fraction;

    MUST(fields);
    shim_notify_add_known(&c->notify, fields);
    shim_progress_add_fields(&c->progress, fields);
    MUST(fields->size < FIELDS_MAX - 512); /* there is room for the end, beside it */
    text = strndup(fields->data, fields->size);
    MUST(text && strlen(text) == fields->size);
    char *cursor = text;
    for (const char *key, *value; fields_next(&cursor, &key, &value);) {
        MUST(strlen(value) <= NOTIFY_VALUE_MAX);
        if (streq(key, NOTIFY_PROGRESS))
            MUST(parse_fraction(value, &fraction) == 0 && fraction < 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Command *c = calloc(1, sizeof(*c));

    MUST(c);
    while (size > 0) {
        const uint8_t *end = memchr(data, 0xff, size);
        size_t n = end ? (size_t)(end - data) : size;
        take(c, data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    check_told(c);
    (void)shim_notify_take_extension(&c->notify);
    MUST(c->notify.extend_usec == 0);
    shim_progress_done(&c->progress);
    message_queue_clear(&c->notify.messages);
    free(c);
    return 0;
}
