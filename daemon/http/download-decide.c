#include "daemon/http/download-decide.h"

#include <errno.h>
#include <inttypes.h>

#include "common/clock.h"
#include "daemon/core/retry-after.h"
#include "daemon/http/download-error.h"

#define RETRY_AFTER_MAX USEC_PER_DAY /* whoever gives up does so before */

/* Without a digest, the rest must be of the very same thing; with one, whatever has the same size
 * will do, for the end will tell. */
bool download_may_resume(const DownloadTry *t) {
    const DownloadState *s = &t->file->state;

    if (t->whole || t->file->size == 0)
        return false;
    return !isempty(t->params->sha256) || (!isempty(s->validator) && streq(s->url, t->url));
}

static bool end_with(DownloadTry *t, TryEnd end) {
    t->end = end;
    return false;
}

static bool fatal(DownloadTry *t, int r) {
    t->error = r;
    return end_with(t, TRY_FATAL);
}

/* ---- errors ---- */

static bool may_be_better_later(unsigned status) {
    return status == 408 || status == 425 || status == 429 ||
           (status >= 500 && status != 501 && status != 505);
}

static bool is_error(DownloadTry *t) {
    download_error(&t->why, 0, "HTTP %u", t->answer.status);
    t->retry_after_usec = retry_after_usec(t->answer.retry_after, t->answer.date,
                                           clock_usec(CLOCK_REALTIME), RETRY_AFTER_MAX);
    return end_with(t, may_be_better_later(t->answer.status) ? TRY_AGAIN : TRY_OTHER);
}

/* ---- another file ---- */

/* What is known of the size: from the request, or from another mirror, which may be wrong as well
 * as this one, but both of them cannot be right. */
static bool has_size(DownloadTry *t, uint64_t total) {
    const DownloadState *s = &t->file->state;
    uint64_t known = t->params->size != DOWNLOAD_SIZE_UNKNOWN   ? t->params->size
                     : isempty(s->url) || streq(s->url, t->url) ? DOWNLOAD_UNKNOWN
                                                                : s->total;

    if (total == DOWNLOAD_UNKNOWN || known == DOWNLOAD_UNKNOWN || total == known)
        return true;
    download_error(&t->why, 0, "it has another file, of %" PRIu64 " bytes instead of %" PRIu64,
                   total, known);
    return end_with(t, TRY_OTHER);
}

static bool has_room(DownloadTry *t, uint64_t more) {
    int r = download_file_check_room(t->file, more, &t->why);

    return r < 0 ? fatal(t, r) : true;
}

/* ---- from the beginning ---- */

static bool take_whole(DownloadTry *t) {
    uint64_t total = t->answer.length;
    const char *validator = download_answer_validator(&t->answer);
    bool had = t->file->size > 0;

    if (!has_size(t, total))
        return false;
    download_hash_anew(t->hash);
    int r = download_file_begin(t->file, t->url, strempty(validator), total, &t->why);
    if (r < 0)
        return fatal(t, r);
    t->on_answer(t->userdata, had, total);
    return total == DOWNLOAD_UNKNOWN || has_room(t, total);
}

/* ---- the rest ---- */

static bool anew(DownloadTry *t, const char *why) {
    download_error(&t->why, 0, "%s", why);
    return end_with(t, TRY_ANEW);
}

/* If-Range should have seen to it, but not all servers know it. A part must have the ETag that all
 * of it would have, and need not have the date (RFC 9110, 15.3.7). */
static bool is_another(const DownloadTry *t) {
    const DownloadState *s = &t->file->state;
    const DownloadAnswer *a = &t->answer;

    if (!isempty(t->params->sha256))
        return false;
    return s->validator[0] == '"' ? !a->etag || !streq(a->etag, s->validator)
                                  : a->modified && !streq(a->modified, s->validator);
}

static bool take_rest(DownloadTry *t) {
    const ContentRange *range = &t->answer.range;
    DownloadState *s = &t->file->state;

    if (!t->asked_range)
        return is_error(t);
    if (!t->answer.has_range || range->first != t->file->size || range->first > range->last)
        return anew(t, "the server has sent another part of it than the one asked for");
    if (is_another(t))
        return anew(t, "it has changed meanwhile");
    if (!has_size(t, range->total))
        return false;
    if (range->total != DOWNLOAD_UNKNOWN && s->total != DOWNLOAD_UNKNOWN &&
        range->total != s->total)
        return anew(t, "it has another size now");
    int r = download_file_piece(t->file, range->total, &t->why);
    if (r < 0)
        return fatal(t, r);
    t->on_answer(t->userdata, false, s->total);
    return s->total == DOWNLOAD_UNKNOWN || has_room(t, s->total - t->file->size);
}

static bool take_none(DownloadTry *t) {
    if (!t->asked_range)
        return is_error(t);
    if (t->answer.has_range && !has_size(t, t->answer.range.total))
        return false;
    return anew(t, "the server has less of it than is there already");
}

/* ---- all of it ---- */

static bool decide(DownloadTry *t) {
    switch (t->answer.status) {
    case 200:
        return take_whole(t);
    case 206:
        return take_rest(t);
    case 416:
        return take_none(t);
    default:
        return is_error(t);
    }
}

bool download_decide(DownloadTry *t) {
    if (t->decided)
        return t->end == TRY_WHOLE;
    t->decided = true;
    return decide(t);
}
