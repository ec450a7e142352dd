#include "daemon/kinds/checksum-name.h"

#include "common/cleanup.h"
#include "common/macro.h"
#include "common/text.h"

char *checksum_name_for_line(const char *path) {
    static const char special[] = "\\\n\r", letters[] = "\\nr";

    if (!strpbrk(path, special))
        return strdup(path);

    char *escaped = malloc(strlen(path) * 2 + 2), *out = escaped;
    if (!escaped)
        return NULL;
    *out++ = '\\';
    for (; *path; path++) {
        const char *found = strchr(special, *path);
        if (found)
            *out++ = '\\';
        *out++ = found ? letters[found - special] : *path;
    }
    *out = '\0';
    return escaped;
}

char *checksum_name_for_json(const char *path) {
    if (utf8_is_valid(path))
        return strdup(path);

    char *escaped = malloc(strlen(path) * 4 + 2), *out = escaped;
    if (!escaped)
        return NULL;
    *out++ = '\\';
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte == '\\')
            out = stpcpy(out, "\\\\");
        else if (byte >= 0x20 && byte < 0x7f)
            *out++ = *path;
        else
            out += sprintf(out, "\\x%02x", byte);
    }
    *out = '\0';
    return escaped;
}
