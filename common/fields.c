#include "common/fields.h"

#include <stdarg.h>
#include <stdio.h>

/* Moves back from byte n to where a UTF-8 sequence begins, so that no half of one is sent. */
static size_t utf8_boundary(const char *s, size_t n) {
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void fields_add(Fields *f, const char *key, const char *value) {
    size_t key_len = strlen(key), value_len = strlen(value);
    size_t room = sizeof(f->data) - f->size;

    if (key_len + 2 > room)
        return;
    if (key_len + 2 + value_len > room)
        value_len = utf8_boundary(value, room - key_len - 2);

    char *p = f->data + f->size;
    memcpy(p, key, key_len);
    p[key_len] = '=';
    for (size_t i = 0; i < value_len; i++)
        p[key_len + 1 + i] = value[i] == '\n' ? ' ' : value[i];
    p[key_len + 1 + value_len] = '\n';
    f->size += key_len + value_len + 2;
}

void fields_addf(Fields *f, const char *key, const char *format, ...) {
    char value[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(value, sizeof(value), format, ap);
    va_end(ap);
    fields_add(f, key, value);
}

bool fields_next(char **cursor, const char **ret_key, const char **ret_value) {
    for (char *line = *cursor; *line;) {
        char *end = strchrnul(line, '\n');
        char *next = *end ? end + 1 : end;
        *end = '\0';

        char *equals = strchr(line, '=');
        if (equals) {
            *equals = '\0';
            *ret_key = line;
            *ret_value = equals + 1;
            *cursor = next;
            return true;
        }
        line = next;
        *cursor = next;
    }
    return false;
}
