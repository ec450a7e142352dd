#include "daemon/http/http-operation-result.h"

#include <errno.h>

#include "common/text.h"
#include "daemon/http/http-operation-find.h"

/* ---- a part of a text ---- */

static const char *skip_blanks(const char *s) {
    return s + strspn(s, " \t\r\n");
}

/* Behind the string that begins here. */
static const char *skip_string(const char *s) {
    for (s++; *s && *s != '"'; s++)
        if (*s == '\\' && s[1])
            s++;
    return *s ? s + 1 : s;
}

/* Behind the value. Brackets need not be told apart: it is known to be JSON. */
static const char *skip_value(const char *s) {
    unsigned depth = 0;

    do {
        s = skip_blanks(s);
        if (*s == '"')
            s = skip_string(s);
        else if (*s == '{' || *s == '[') {
            depth++;
            s++;
        } else if (*s == '}' || *s == ']') {
            depth--;
            s++;
        } else if (*s == ',' || *s == ':')
            s++;
        else
            s += strcspn(s, ",:{}[] \t\r\n");
        if (depth > 0)
            s = skip_blanks(s);
    } while (*s && depth > 0);
    return s;
}

/* One name of a pointer, as it is meant: *rest is what follows. */
static char *next_name(const char **rest) {
    const char *s = *rest + 1;
    size_t n = strcspn(s, "/");
    char *name = strndup(s, n), *out = name;

    *rest = s + n;
    for (const char *in = name; in && *in; in++)
        if (*in == '~' && (in[1] == '0' || in[1] == '1'))
            *out++ = *++in == '0' ? '~' : '/';
        else
            *out++ = *in;
    if (name)
        *out = '\0';
    return name;
}

static int enter_object(const char **s, const char *name) {
    size_t length = strlen(name);
    const char *p = skip_blanks(*s + 1);

    while (*p == '"') {
        const char *key = p + 1, *end = skip_string(p);
        size_t size = (size_t)(end - key) - 1;
        p = skip_blanks(skip_blanks(end) + 1);
        if (memchr(key, '\\', size))
            return -EOPNOTSUPP;
        if (size == length && memcmp(key, name, size) == 0) {
            *s = p;
            return 0;
        }
        p = skip_blanks(skip_value(p));
        if (*p == ',')
            p = skip_blanks(p + 1);
    }
    return -ENOENT;
}

static int enter_array(const char **s, const char *name) {
    const char *p = skip_blanks(*s + 1);
    char *end;
    unsigned long index = strtoul(name, &end, 10);

    if (*end || *name < '0' || *name > '9')
        return -ENOENT;
    for (; *p && *p != ']'; index--) {
        if (index == 0) {
            *s = p;
            return 0;
        }
        p = skip_blanks(skip_value(p));
        if (*p == ',')
            p = skip_blanks(p + 1);
    }
    return -ENOENT;
}

int json_raw_get(const char *json, const char *pointer, const char **ret, size_t *ret_size) {
    const char *s = skip_blanks(json);

    for (const char *rest = pointer; *rest == '/';) {
        _cleanup_free_ char *name = next_name(&rest);
        int r = !name       ? -ENOMEM
                : *s == '{' ? enter_object(&s, name)
                : *s == '[' ? enter_array(&s, name)
                            : -ENOENT;
        if (r < 0)
            return r;
    }
    *ret = s;
    *ret_size = (size_t)(skip_value(s) - s);
    return 0;
}

/* ---- results ---- */

static int print(const cJSON *value, char **ret) {
    char *text = cJSON_PrintUnformatted(value);

    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

/* Numbers of more digits than a double has would not come through a parser as they are. */
static int take_field(const OperationAnswer *a, const char *pointer, char **ret) {
    const cJSON *value = operation_point(a->root, pointer);
    const char *raw;
    size_t size;

    if (!value)
        return -ENOENT;
    if (json_raw_get(a->body, pointer, &raw, &size) < 0)
        return print(value, ret);
    char *text = strndup(raw, size);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

int operation_result_field(const OperationAnswer *a, const HttpOperationParams *p, char **ret) {
    static const char *const usual[] = {"/result",  "/response",          "/output",
                                        "/results", "/properties/output", "/properties/outputs",
                                        "/outputs"};
    int r = -ENOENT;

    if (p->result_field)
        return take_field(a, p->result_field, ret);
    for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(usual); i++)
        r = take_field(a, usual[i], ret);
    /* Azure's answer to an action; of a resource all of it is wanted. */
    if (r == -ENOENT && !operation_point(a->root, "/properties/provisioningState"))
        r = take_field(a, "/properties", ret);
    return r;
}

int operation_result_body(const OperationAnswer *a, char **ret) {
    cJSON *text;
    int r;

    if (operation_answer_is_empty(a))
        return -ENOENT;
    if (a->root) {
        const char *begin = skip_blanks(a->body);
        *ret = strndup(begin, (size_t)(skip_value(begin) - begin));
        return *ret ? 0 : -ENOMEM;
    }
    if (strlen(a->body) != a->body_size || !utf8_is_valid(a->body) ||
        operation_answer_is_garbage(a))
        return -EBADMSG;
    text = cJSON_CreateStringReference(a->body);
    r = text ? print(text, ret) : -ENOMEM;
    cJSON_Delete(text);
    return r;
}
