#include "daemon/http/download-try.h"

#include <errno.h>
#include <inttypes.h>

#include "common/clock.h"
#include "common/parse.h"
#include "common/strv.h"
#include "daemon/http/download-decide.h"
#include "daemon/http/download-error.h"
#include "daemon/http/http-error.h"
#include "daemon/http/http-policy.h"
#include "daemon/http/http-url.h"

#define POLL_MS 200
#define BUFFER_SIZE (512L * 1024)
#define CONNECT_TIMEOUT_MS UINT64_C(30000)
#define REDIRECT_BODY_MAX (64 * KIB)

/* ---- what comes ---- */

static size_t on_header(char *line, size_t size, size_t n, void *userdata) {
    DownloadTry *t = userdata;

    /* Behind the body there may be more of them, which change nothing any more. */
    if (!t->decided && download_answer_line(&t->answer, line, size * n) < 0)
        return 0;
    t->idle_usec = 0;
    return size * n;
}

/* More than there may be: of a body without a length, nothing else ends it. */
static bool is_too_much(const DownloadTry *t, size_t size) {
    uint64_t total =
        t->params->size != DOWNLOAD_SIZE_UNKNOWN ? t->params->size : t->file->state.total;

    return total != DOWNLOAD_UNKNOWN && t->file->size + size > total;
}

/* What is written for people in the body of a redirect: libcurl tells where it leads when that is
 * over. */
static bool is_skipped(DownloadTry *t, size_t size) {
    if (t->answer.status < 300 || t->answer.status > 399)
        return false;
    t->skipped += size;
    return t->skipped <= REDIRECT_BODY_MAX;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
    DownloadTry *t = userdata;
    int r;

    t->idle_usec = 0;
    if (is_skipped(t, size * n))
        return size * n;
    if (!download_decide(t))
        return 0; /* the body of an error: libcurl ends the transfer */
    if (is_too_much(t, size * n)) {
        t->end = TRY_OTHER;
        download_error(&t->why, 0, "it sends more than %" PRIu64 " bytes", t->file->size);
        t->file->resumable = false;
        return 0;
    }
    r = download_file_write(t->file, data, size * n, &t->why);
    if (r < 0) {
        t->end = TRY_FATAL;
        t->error = r;
        return 0;
    }
    download_hash_grown(t->hash, t->file->size);
    return size * n;
}

/* ---- the request ---- */

static int add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *grown = curl_slist_append(*list, line);

    if (!grown)
        return -ENOMEM;
    *list = grown;
    return 0;
}

/* If-Range: only if it is still the same file, else all of it. With a digest to come, it is enough
 * that the rest fits. */
static int add_range(DownloadTry *t, struct curl_slist **list) {
    char line[1200];
    int r;

    t->asked_range = download_may_resume(t);
    if (!t->asked_range)
        return 0;
    snprintf(line, sizeof(line), "Range: bytes=%" PRIu64 "-", t->file->size);
    r = add_line(list, line);
    if (r < 0 || isempty(t->file->state.validator) || !streq(t->file->state.url, t->url))
        return r;
    snprintf(line, sizeof(line), "If-Range: %s", t->file->state.validator);
    return add_line(list, line);
}

static int make_headers(DownloadTry *t, struct curl_slist **list) {
    int r = add_line(list, "Accept-Encoding: identity");

    for (char **h = t->params->headers; r >= 0 && h && *h; h++)
        if (!t->elsewhere || http_redirect_keeps_header(*h))
            r = add_line(list, *h);
    return r < 0 ? r : add_range(t, list);
}

static int prepare(DownloadTry *t, struct curl_slist *headers) {
    HttpPolicy policy = {
        .url = t->at,
        .ca_file = t->params->ca_file,
        .auth = !t->secret || t->elsewhere ? HTTP_AUTH_NONE
                : t->params->basic         ? HTTP_AUTH_BASIC
                                           : HTTP_AUTH_BEARER,
        .secret = t->secret,
    };
    uint64_t stall_ms = t->params->stall_timeout_usec / USEC_PER_MSEC;

    curl_easy_reset(t->easy);
    int r = http_policy_apply(t->easy, &policy);
    if (r < 0)
        return r;
    CURLcode c = curl_easy_setopt(t->easy, CURLOPT_URL, t->at);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
    c = c
            ?: curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                                (long)MIN(stall_ms, CONNECT_TIMEOUT_MS));
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    c = c ?: curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->detail);
    return c == CURLE_OK ? 0 : -ENOMEM;
}

/* ---- its end ---- */

static void end_with(DownloadTry *t, TryEnd end, int error) {
    t->end = end;
    t->error = error;
}

/* What time may heal, and what not. */
static bool is_for_good(int error) {
    return error == -EINVAL || error == -EKEYREJECTED || error == -EPROTO || error == -EACCES ||
           error == -ELOOP;
}

static void describe_failure(DownloadTry *t, CURLcode code) {
    HttpFailure f = {.url = t->at, .detail = t->detail};
    char text[HTTP_ERROR_TEXT_MAX];

    http_failure_read(&f, t->easy, code);
    int error = http_failure_describe(&f, text);
    if (error == -ENOMEM)
        end_with(t, TRY_FATAL, error);
    else
        end_with(t, is_for_good(error) ? TRY_OTHER : TRY_AGAIN, error);
    download_error(&t->why, 0, "%s", text);
}

/* The body is there, as far as HTTP can tell. */
static void check_whole(DownloadTry *t) {
    uint64_t total = t->file->state.total;

    if (t->params->size != DOWNLOAD_SIZE_UNKNOWN && t->file->size != t->params->size) {
        /* Another length would have been refused at the beginning. */
        end_with(t, TRY_OTHER, 0);
        t->file->resumable = false;
        download_error(&t->why, 0, "it has sent %" PRIu64 " bytes, and the file has %" PRIu64,
                       t->file->size, t->params->size);
    } else if (total != DOWNLOAD_UNKNOWN && t->file->size != total) {
        end_with(t, TRY_AGAIN, 0);
        download_error(&t->why, 0, "the answer ended after %" PRIu64 " of %" PRIu64 " bytes",
                       t->file->size, total);
    } else
        end_with(t, TRY_WHOLE, 0);
}

/* 1: one more request, to where the redirect leads. */
static int follow(DownloadTry *t, unsigned count) {
    char text[HTTP_REDIRECT_TEXT_MAX] = "";
    HttpRedirect to = {};
    int r = http_redirect_next(t->easy, t->at, "GET", count, &to, text);

    if (r < 0) {
        end_with(t, r == -ENOMEM ? TRY_FATAL : TRY_OTHER, r);
        download_error(&t->why, 0, "%s", text);
    }
    if (r <= 0)
        return r;
    free(t->at);
    t->at = to.url;
    t->elsewhere |= to.elsewhere;
    return 1;
}

/* on_body() ends the transfer of a body that is not wanted, which libcurl calls an error. */
static int conclude(DownloadTry *t, CURLcode code, unsigned count) {
    if (code != CURLE_OK && !t->decided) {
        describe_failure(t, code);
        return 0;
    }
    int r = follow(t, count);
    if (r != 0)
        return MAX(r, 0);
    if (!download_decide(t) || t->end != TRY_WHOLE)
        return 0; /* how it ended stands there already */
    if (code != CURLE_OK)
        describe_failure(t, code);
    else
        check_whole(t);
    return 0;
}

/* ---- at work ---- */

/* A pause of this process is no time: nothing is late because of it. */
static int tick(DownloadTry *t, uint64_t *last_usec) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t passed = MIN(now - *last_usec, 2 * POLL_MS * USEC_PER_MSEC);
    char span[FORMAT_MAX];

    *last_usec = now;
    t->idle_usec += passed;
    if (t->on_tick(t->userdata, passed) < 0) {
        end_with(t, TRY_CANCELLED, -ECANCELED);
        return -ECANCELED;
    }
    if (t->idle_usec < t->params->stall_timeout_usec)
        return 0;
    end_with(t, TRY_AGAIN, -ETIMEDOUT);
    download_error(&t->why, 0, "not a byte has come in %s",
                   format_span(span, t->params->stall_timeout_usec));
    return -ETIMEDOUT;
}

/* 1 and the code when it is over; 0 when it was broken off. */
static int transfer(DownloadTry *t, CURLcode *ret) {
    uint64_t last = clock_usec(CLOCK_MONOTONIC);
    int running = 1, left;

    for (;;) {
        if (curl_multi_perform(t->multi, &running) != CURLM_OK) {
            end_with(t, TRY_FATAL, -ENOMEM);
            return 0;
        }
        if (tick(t, &last) < 0)
            return 0;
        const CURLMsg *m = running > 0 ? NULL : curl_multi_info_read(t->multi, &left);
        if (m && m->msg == CURLMSG_DONE) {
            *ret = m->data.result;
            return 1;
        }
        curl_multi_poll(t->multi, NULL, 0, POLL_MS, NULL);
    }
}

/* 1: it was a redirect, which is to be followed. */
static int request(DownloadTry *t, unsigned count) {
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OK;

    download_answer_done(&t->answer);
    t->detail[0] = '\0';
    t->decided = false;
    t->skipped = 0;
    int r = make_headers(t, &headers);
    if (r >= 0)
        r = prepare(t, headers);
    if (r >= 0 && curl_multi_add_handle(t->multi, t->easy) != CURLM_OK)
        r = -ENOMEM;
    if (r < 0)
        end_with(t, TRY_FATAL, r);
    else {
        r = transfer(t, &code);
        curl_multi_remove_handle(t->multi, t->easy);
        r = r > 0 ? conclude(t, code, count) : 0;
    }
    curl_slist_free_all(headers);
    return r;
}

TryEnd download_try(DownloadTry *t) {
    t->end = TRY_WHOLE;
    t->at = strdup(t->url);
    if (!t->at)
        end_with(t, TRY_FATAL, -ENOMEM);
    for (unsigned count = 0; t->at && request(t, count) > 0; count++)
        ;
    free(t->at);
    t->at = NULL;
    download_answer_done(&t->answer);
    return t->end;
}
