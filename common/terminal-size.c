#include "common/terminal-size.h"

#include <errno.h>

#include "common/parse.h"

/* Of the first n bytes. */
static int parse_side(const char *s, size_t n, uint16_t *ret) {
    char number[TERMINAL_SIZE_MAX];
    uint32_t value;

    if (n >= sizeof(number))
        return -EINVAL;
    memcpy(number, s, n);
    number[n] = '\0';
    int r = parse_u32(number, &value);
    if (r < 0)
        return r;
    if (value == 0 || value > UINT16_MAX)
        return -ERANGE;
    *ret = (uint16_t)value;
    return 0;
}

int terminal_size_parse(const char *s, TerminalSize *ret) {
    const char *x = strchr(strempty(s), 'x');
    TerminalSize size;

    if (!x)
        return -EINVAL;
    int r = parse_side(s, (size_t)(x - s), &size.columns);
    if (r >= 0)
        r = parse_side(x + 1, strlen(x + 1), &size.rows);
    if (r >= 0)
        *ret = size;
    return r;
}
