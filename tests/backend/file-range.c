#include <errno.h>

#include "common/parse.h"
#include "tests/backend/file.h"
#include "tests/backend/memory.h"

/* "5-9", "5-", "-5" as two numbers; UINT64_MAX = there is none. */
static int split(const char *s, uint64_t *ret_first, uint64_t *ret_last) {
    _cleanup_free_ char *text = must_copy(s);
    char *dash = strchr(text, '-');

    *ret_first = *ret_last = UINT64_MAX;
    if (!dash)
        return -EINVAL;
    *dash = '\0';
    if (!isempty(text) && parse_u64(text, ret_first) < 0)
        return -EINVAL;
    if (!isempty(dash + 1) && parse_u64(dash + 1, ret_last) < 0)
        return -EINVAL;
    return isempty(text) && isempty(dash + 1) ? -EINVAL : 0;
}

/* One range alone, RFC 9110, 14.1.2. */
int range_parse(const char *range, uint64_t size, uint64_t *ret_begin, uint64_t *ret_end) {
    uint64_t first, last;

    *ret_begin = 0;
    *ret_end = size;
    if (!range || strncmp(range, "bytes=", 6) != 0 || split(range + 6, &first, &last) < 0)
        return 0;
    if (first == UINT64_MAX) { /* so many at the end */
        *ret_begin = size - MIN(last, size);
        return size > 0 && last > 0 ? 1 : -ERANGE;
    }
    if (first > last)
        return 0;
    *ret_begin = first;
    *ret_end = last < size ? last + 1 : size;
    return first < size ? 1 : -ERANGE;
}
