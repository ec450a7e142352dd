#include "daemon/http/download.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/parse.h"
#include "daemon/http/download-error.h"
#include "daemon/http/download-mirrors.h"
#include "daemon/http/download-name.h"
#include "daemon/http/download-report.h"
#include "daemon/http/download-try.h"
#include "daemon/http/http-secret.h"

#define VERIFY_WAIT (20 * USEC_PER_MSEC)

typedef struct Download {
    TaskContext *context; /* not owned */
    DownloadParams params;
    DownloadFile file;
    DownloadHash hash;
    DownloadReport report;
    Mirrors mirrors;
    CURLM *multi;
    CURL *easy;
    char *secret;
    char *why; /* it failed, in words; owned */

    Mirror *anew;        /* this one is asked for all of it at once; NULL: as usual. Not owned */
    uint64_t active;     /* microseconds that have passed, pauses left out */
    uint64_t news_at;    /* of these, when the file was last longer than ever before */
    uint64_t longest;    /* bytes */
    uint64_t began_with; /* bytes that were there at the beginning */
    char sha256[CHECKSUM_HEX_MAX];
} Download;

/* ---- time ---- */

static void note_news(Download *d) {
    if (d->file.size <= d->longest)
        return;
    d->longest = d->file.size;
    d->news_at = d->active;
    d->mirrors.list[d->mirrors.last].failures = 0;
}

static int on_tick(void *userdata, uint64_t usec) {
    Download *d = userdata;

    d->active += usec;
    note_news(d);
    download_report_bytes(&d->report, d->file.size, d->file.state.total);
    return task_context_cancelled(d->context) ? -ECANCELED : 0;
}

static uint64_t give_up_at(const Download *d) {
    return d->news_at + d->params.give_up_after_usec;
}

/* Until it is due, or until it would be given up: then it gets its last chance. */
static int wait_for(Download *d, const Mirror *m) {
    uint64_t until = MIN(m->due_usec, MAX(give_up_at(d), d->active));

    if (until <= d->active)
        return 0;
    download_report_wait(&d->report, until - d->active, m->why);
    int r = task_context_sleep(d->context, until - d->active);
    d->active = until;
    return r;
}

/* ---- one try ---- */

static void on_answer(void *userdata, bool anew, uint64_t total) {
    Download *d = userdata;

    download_report_answer(&d->report, d->file.size, total, anew);
}

static uint64_t random_number(void) {
    uint64_t n = 0;

    if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
        n = clock_usec(CLOCK_MONOTONIC);
    return n;
}

/* What it has sent is of no use to the next one. */
static int drop_useless(Download *d) {
    if (d->file.resumable || d->file.size == 0)
        return 0;
    download_hash_anew(&d->hash);
    return download_file_reset(&d->file, &d->why);
}

static int pass_over(Download *d, Mirror *m, const char *why) {
    mirror_failed(m, why, d->active, 0, 0);
    m->out = true;
    download_report_passed_over(&d->report, m->url, why);
    return drop_useless(d);
}

static int try_later(Download *d, Mirror *m, const DownloadTry *t) {
    mirror_failed(m, strempty(t->why), d->active, t->retry_after_usec, random_number());
    download_report_failure(&d->report, m->url, strempty(t->why), d->file.size);
    return 0;
}

static int give_up(Download *d) {
    const Mirror *m = &d->mirrors.list[d->mirrors.last];
    char span[FORMAT_MAX];

    if (d->params.give_up_after_usec == 0)
        return download_error(&d->why, -EIO, "%s (%s)", strempty(m->why), m->url);
    return download_error(&d->why, -ETIMEDOUT, "Given up, for nothing new has come in %s: %s (%s)",
                          format_span(span, d->active - d->news_at), strempty(m->why), m->url);
}

static int all_are_out(Download *d) {
    const Mirror *first = &d->mirrors.list[0];

    if (d->mirrors.n == 1)
        return download_error(&d->why, -EIO, "%s (%s)", strempty(first->why), first->url);
    return download_error(&d->why, -EIO, "None of the %zu mirrors has it, the first: %s (%s)",
                          d->mirrors.n, strempty(first->why), first->url);
}

/* 1: the file is there; 0: on with the next try. */
static int after_try(Download *d, Mirror *m, DownloadTry *t) {
    note_news(d);
    switch (t->end) {
    case TRY_WHOLE:
        return 1;
    case TRY_CANCELLED:
        return -ECANCELED;
    case TRY_FATAL:
        return download_error(&d->why, t->error, "%s", t->why ?: strerror(-t->error));
    case TRY_ANEW:
        d->anew = m;
        download_report_anew(&d->report, strempty(t->why));
        return 0;
    case TRY_OTHER:
        return pass_over(d, m, strempty(t->why));
    case TRY_AGAIN:
        break;
    }
    return try_later(d, m, t);
}

static int try_once(Download *d, Mirror *m) {
    DownloadTry t = {
        .params = &d->params,
        .file = &d->file,
        .hash = &d->hash,
        .multi = d->multi,
        .easy = d->easy,
        .url = m->url,
        .secret = d->secret,
        .whole = d->anew != NULL,
        .on_tick = on_tick,
        .on_answer = on_answer,
        .userdata = d,
    };

    d->anew = NULL;
    download_report_try(&d->report, m->url);
    download_try(&t);
    int r = after_try(d, m, &t);
    free(t.why);
    return r;
}

/* The only one that can go on with what is there. */
static const char *bound_to(const Download *d) {
    bool any = !isempty(d->params.sha256) || d->file.size == 0 || !d->file.resumable;

    return any ? NULL : d->file.state.url;
}

static bool is_whole(const Download *d) {
    return d->file.state.total != DOWNLOAD_UNKNOWN && d->file.size == d->file.state.total &&
           d->file.size > 0 &&
           (d->params.size == DOWNLOAD_SIZE_UNKNOWN || d->params.size == d->file.size);
}

static int fetch(Download *d) {
    int r = is_whole(d);

    while (r == 0) {
        Mirror *m = d->anew ?: mirrors_next(&d->mirrors, bound_to(d));
        if (!m)
            return all_are_out(d);
        if (mirrors_all_failed(&d->mirrors) && d->active >= give_up_at(d))
            return give_up(d);
        r = wait_for(d, m);
        if (r >= 0)
            r = try_once(d, m);
    }
    return r;
}

/* ---- the digest ---- */

static int wait_for_digest(Download *d) {
    uint64_t done;
    int r;

    while ((r = download_hash_take(&d->hash, d->file.size, &done, d->sha256)) == 0) {
        download_report_verifying(&d->report, done, d->file.size);
        r = task_context_sleep(d->context, VERIFY_WAIT);
        if (r < 0)
            return r;
    }
    return r < 0 ? download_error(&d->why, r, "Cannot read what was downloaded: %s", strerror(-r))
                 : 0;
}

static Mirror *mirror_of(Download *d, const char *url) {
    for (size_t i = 0; i < d->mirrors.n; i++)
        if (streq(d->mirrors.list[i].url, url))
            return &d->mirrors.list[i];
    return NULL;
}

/* Put together from parts, it may be no mirror's fault: one more time all of it at once, from each.
 */
static int wrong_digest(Download *d) {
    Mirror *m = mirror_of(d, d->file.state.url) ?: &d->mirrors.list[d->mirrors.last];
    bool pieced = d->file.state.pieced && !m->whole_once && !m->out;
    char why[256];

    snprintf(why, sizeof(why), "its sha256 is %s instead of %s, nothing of it is kept", d->sha256,
             d->params.sha256);
    m->whole_once = true;
    d->file.resumable = false;
    d->longest = 0;
    if (!pieced)
        return pass_over(d, m, why);
    download_report_anew(&d->report, why);
    return drop_useless(d);
}

/* 1: it is what was asked for. */
static int verify(Download *d) {
    int r = 0;

    if (isempty(d->params.sha256))
        return 1;
    download_report_phase(&d->report, "verifying");
    r = wait_for_digest(d);
    if (r < 0)
        return r;
    return streq(d->sha256, d->params.sha256) ? 1 : wrong_digest(d);
}

/* ---- all of it ---- */

static int read_secret(Download *d) {
    _cleanup_error_ Error error = {};

    if (isempty(d->params.credential))
        return 0;
    int r =
        http_secret_read(d->params.credential, d->params.basic ? HTTP_AUTH_BASIC : HTTP_AUTH_BEARER,
                         &d->secret, &error);
    return r == -EREMOTE ? download_error(&d->why, -EACCES, "%s", strempty(error.message)) : r;
}

static int prepare(Download *d) {
    int r = read_secret(d);

    if (r >= 0)
        r = mirrors_init(&d->mirrors, d->params.urls);
    if (r >= 0 && curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
        r = -ENOMEM;
    if (r < 0)
        return r;
    d->multi = curl_multi_init();
    d->easy = curl_easy_init();
    return d->multi && d->easy ? 0 : -ENOMEM;
}

static int start_hash(Download *d) {
    if (isempty(d->params.sha256))
        return 0;
    int r = download_hash_start(&d->hash, d->file.fd);
    download_hash_grown(&d->hash, d->file.size);
    return r;
}

static int work(Download *d) {
    int r = start_hash(d);

    d->began_with = d->longest = d->file.size;
    download_report_begin(&d->report, d->file.path, d->file.size);
    while (r == 0) {
        r = fetch(d);
        if (r > 0)
            r = verify(d);
    }
    if (r < 0)
        return r;
    return download_file_publish(&d->file, &d->why);
}

static int set_result(Download *d) {
    _cleanup_(cJSON_Deletep) cJSON *json = cJSON_CreateObject();
    _cleanup_free_ char *text = NULL;

    cJSON_AddStringToObject(json, "path", d->file.path);
    cJSON_AddNumberToObject(json, "size", (double)d->file.size);
    if (!isempty(d->sha256))
        cJSON_AddStringToObject(json, "sha256", d->sha256);
    cJSON_AddStringToObject(json, "url", d->file.state.url);
    cJSON_AddNumberToObject(json, "resumed", (double)d->began_with);
    text = cJSON_PrintUnformatted(json);
    return text ? kind_set_result(d->context, text) : -ENOMEM;
}

static int succeed(Download *d) {
    int r = set_result(d);

    if (r == -EFBIG) /* of so few bytes: the file counts, and the words say what is missing */
        r = 0;
    else if (r >= 0)
        download_report_end(&d->report, d->file.size, d->began_with);
    if (d->file.size > 0)
        task_context_progress_bytes(d->context, d->file.size, d->file.size);
    return r;
}

static void fail(Download *d, int r) {
    _cleanup_free_ char *kept = NULL;
    char size[FORMAT_MAX];

    if (download_file_keeps(&d->file) &&
        asprintf(&kept, "%s are kept in %s/%s, and the same download goes on from there",
                 format_size(size, d->file.size), d->file.dir, d->file.part) < 0)
        kept = NULL;
    const char *what = r == -ECANCELED ? "Cancelled" : d->why ?: strerror(-r);
    if (kept)
        task_context_log(d->context, "%s", kept);
    if (kept && r == -ECANCELED)
        task_context_message(d->context, "%s: %s", what, kept);
    else
        task_context_message(d->context, "%s", what);
}

static void download_done(Download *d) {
    download_hash_stop(&d->hash);
    if (d->easy)
        curl_easy_cleanup(d->easy);
    if (d->multi)
        curl_multi_cleanup(d->multi);
    mirrors_done(&d->mirrors);
    d->secret = http_secret_free(d->secret);
    free(d->why);
    download_params_done(&d->params);
}

/* 1: an earlier attempt has done it all, and was killed before it could say so. */
static int run(Download *d) {
    int r = prepare(d);

    if (r >= 0)
        r = download_file_open(&d->file, &d->params, &d->why);
    if (r == 0)
        return work(d);
    if (r > 0) {
        d->began_with = d->file.size;
        memcpy(d->sha256, d->params.sha256, sizeof(d->params.sha256));
    }
    return r;
}

int download_run(TaskContext *c, const cJSON *params) {
    _cleanup_(download_done) Download d = {.context = c, .file = {.dir_fd = -EBADF, .fd = -EBADF}};
    int r;

    r = download_params_parse(params, &d.params, &d.why);
    if (r < 0)
        return kind_fail_params(c, r, d.why);
    download_report_init(&d.report, c);
    r = run(&d);
    if (r >= 0)
        r = succeed(&d);
    else
        fail(&d, r);
    download_file_close(&d.file);
    return r;
}
