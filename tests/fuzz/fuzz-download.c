/* What a server says of a file, and what an url makes of its name: whatever comes, nothing that the
 * rest could stumble over. */

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/http/download-answer.h"
#include "daemon/http/download-name.h"
#include "tests/fuzz/fuzz.h"

static void check_range(const ContentRange *c) {
    if (c->first <= c->last)
        MUST(c->last < c->total);
    else
        MUST(c->total != DOWNLOAD_UNKNOWN);
}

static void check_answer(const DownloadAnswer *a) {
    const char *validator = download_answer_validator(a);

    MUST(a->status < 1000);
    if (a->has_range)
        check_range(&a->range);
    if (validator) /* it goes into a header */
        MUST(!strpbrk(validator, "\r\n") && (validator[0] == '"' || validator == a->modified));
}

static void check_name(const char *url) {
    _cleanup_free_ char *name = download_name_from_url(url);
    char part[DOWNLOAD_NAME_MAX + 1];

    if (!name)
        return;
    MUST(name[0] != '\0' && name[0] != '.' && strlen(name) <= DOWNLOAD_NAME_MAX);
    MUST(utf8_is_valid(name) && !strchr(name, '/'));
    for (const char *p = name; *p; p++)
        MUST((unsigned char)*p >= ' ' && *p != 0x7f);
    download_name_partial(name, ".state", part);
    MUST(strlen(part) + strlen(".new") <= DOWNLOAD_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = strndup((const char *)data, size);
    DownloadAnswer a = {.length = DOWNLOAD_UNKNOWN};
    ContentRange range;

    MUST(text);
    for (const char *line = text; *line;
         line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        MUST(download_answer_line(&a, line, strcspn(line, "\n")) == 0);
        check_answer(&a);
    }
    if (content_range_parse(text, &range) >= 0)
        check_range(&range);
    check_name(text);
    download_answer_done(&a);
    return 0;
}
