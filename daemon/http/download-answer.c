#include "daemon/http/download-answer.h"

#include <errno.h>
#include <strings.h>

#include "common/parse.h"
#include "daemon/core/retry-after.h"

#define VALUE_MAX ((size_t)1 * KIB) /* of an ETag or a date; a longer one is none */
#define SURE_AFTER_USEC USEC_PER_MINUTE

/* ---- values ---- */

/* Digits up to any other character. */
static int read_number(const char **p, uint64_t *ret) {
    char digits[24];
    size_t n = strspn(*p, "0123456789");

    if (n == 0 || n >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, *p, n);
    digits[n] = '\0';
    *p += n;
    return parse_u64(digits, ret);
}

static int read_total(const char *p, uint64_t *ret) {
    if (streq(p, "*"))
        return *ret = DOWNLOAD_UNKNOWN, 0;
    int r = read_number(&p, ret);
    return r < 0 ? r : *p == '\0' && *ret != DOWNLOAD_UNKNOWN ? 0 : -EINVAL;
}

int content_range_parse(const char *text, ContentRange *ret) {
    ContentRange c = {.first = 1, .last = 0};
    const char *p = text;
    int r = 0;

    if (strncasecmp(p, "bytes ", 6) != 0)
        return -EINVAL;
    p += 6;
    bool none = strncmp(p, "*/", 2) == 0;
    if (none)
        p++;
    else if (read_number(&p, &c.first) < 0 || *p++ != '-' || read_number(&p, &c.last) < 0)
        r = -EINVAL;
    if (r >= 0 && *p++ == '/')
        r = read_total(p, &c.total);
    else
        r = -EINVAL;
    if (r < 0)
        return -EINVAL;
    if (none ? c.total == DOWNLOAD_UNKNOWN : c.first > c.last || c.last >= c.total)
        return -EINVAL;
    *ret = c;
    return 0;
}

/* ---- lines ---- */

void download_answer_done(DownloadAnswer *a) {
    free(a->etag);
    free(a->modified);
    free(a->date);
    free(a->retry_after);
    *a = (DownloadAnswer){.length = DOWNLOAD_UNKNOWN};
}

static void read_status(DownloadAnswer *a, const char *line) {
    const char *p = strchr(line, ' ');
    uint64_t status = 0;

    download_answer_done(a);
    if (p)
        p += strspn(p, " ");
    if (p && read_number(&p, &status) >= 0 && status < 1000)
        a->status = (unsigned)status;
}

/* It may go back to the server in a header of ours. */
static bool is_plain(const char *value) {
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return strlen(value) <= VALUE_MAX;
}

/* The first of its name counts. */
static int keep(char **to, const char *value) {
    if (*to || !is_plain(value))
        return 0;
    *to = strdup(value);
    return *to ? 0 : -ENOMEM;
}

static int take_header(DownloadAnswer *a, const char *name, const char *value) {
    if (strcasecmp(name, "ETag") == 0)
        return keep(&a->etag, value);
    if (strcasecmp(name, "Last-Modified") == 0)
        return keep(&a->modified, value);
    if (strcasecmp(name, "Date") == 0)
        return keep(&a->date, value);
    if (strcasecmp(name, "Retry-After") == 0)
        return keep(&a->retry_after, value);
    if (strcasecmp(name, "Content-Length") == 0) {
        if (parse_u64(value, &a->length) < 0)
            a->length = DOWNLOAD_UNKNOWN;
    } else if (strcasecmp(name, "Content-Range") == 0)
        a->has_range = content_range_parse(value, &a->range) >= 0;
    return 0;
}

int download_answer_line(DownloadAnswer *a, const char *line, size_t size) {
    while (size > 0 && strchr("\r\n \t", line[size - 1]))
        size--;
    _cleanup_free_ char *copy = strndup(line, size);
    if (!copy)
        return -ENOMEM;
    if (strncmp(copy, "HTTP/", 5) == 0) {
        read_status(a, copy);
        return 0;
    }
    char *colon = strchr(copy, ':');
    if (!colon)
        return 0;
    *colon++ = '\0';
    return take_header(a, copy, colon + strspn(colon, " \t"));
}

/* ---- what tells one file from another ---- */

static bool is_strong_etag(const char *etag) {
    size_t n = strlen(etag);

    return n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
}

const char *download_answer_validator(const DownloadAnswer *a) {
    if (a->etag) /* a weak one says that the date is not to be relied on either */
        return is_strong_etag(a->etag) ? a->etag : NULL;
    if (!a->modified || !a->date)
        return NULL;
    uint64_t modified = http_date_parse(a->modified, 0), date = http_date_parse(a->date, 0);
    return modified > 0 && date >= modified + SURE_AFTER_USEC ? a->modified : NULL;
}
