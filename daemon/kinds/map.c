#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <wchar.h>
#include <wctype.h>

#include "daemon/kinds/kinds.h"

#define ITEMS_MAX ((size_t)100000)
#define ITEM_MS_MAX UINT64_C(86400000) /* a day */

typedef enum MapOp {
    MAP_UPPERCASE,
    MAP_LOWERCASE,
    MAP_LENGTH, /* in characters */
} MapOp;

typedef struct Map {
    const cJSON *items; /* not owned */
    size_t op;          /* a MapOp */
    uint64_t item_ms;
} Map;

static int check_items(const cJSON *items, char **ret_error) {
    const cJSON *item;
    size_t i = 0;

    cJSON_ArrayForEach (item, items) {
        if (cJSON_IsArray(item) || cJSON_IsObject(item) ||
            (cJSON_IsNumber(item) && !isfinite(item->valuedouble))) {
            _cleanup_free_ char *shown = kind_describe_value(item);
            return kind_params_error(ret_error,
                                     "items[%zu] must be a string, a finite number, a boolean or "
                                     "null, not %s",
                                     i, strempty(shown));
        }
        i++;
    }
    return 0;
}

static int map_parse(const cJSON *params, Map *ret, char **ret_error) {
    static const char *const names[] = {"items", "op", "item_ms", NULL};
    static const char *const ops[] = {[MAP_UPPERCASE] = "uppercase",
                                      [MAP_LOWERCASE] = "lowercase",
                                      [MAP_LENGTH] = "length",
                                      NULL};
    Map p = {.op = MAP_UPPERCASE, .item_ms = 50};
    int r;

    r = kind_check_names(params, names, ret_error);
    if (r < 0)
        return r;
    r = kind_param_array(params, "items", "items", 0, ITEMS_MAX, &p.items, ret_error);
    if (r < 0)
        return r;
    r = check_items(p.items, ret_error);
    if (r < 0)
        return r;
    r = kind_param_choice(params, "op", ops, &p.op, ret_error);
    if (r < 0)
        return r;
    r = kind_param_u64(params, "item_ms", 0, ITEM_MS_MAX, &p.item_ms, ret_error);
    if (r < 0)
        return r;
    *ret = p;
    return 0;
}

static int map_check(const cJSON *params, char **ret_error) {
    Map p;

    return map_parse(params, &p, ret_error);
}

/* The text in UTF-8 with each character put through the op, and their number. The thread's locale
 * must be a UTF-8 one. */
static int convert_text(const char *text, MapOp op, char **ret, size_t *ret_length) {
    size_t left = strlen(text), length = 0, n = 0;
    _cleanup_free_ char *out = malloc(left * MB_CUR_MAX + 1);
    mbstate_t in_state = {}, out_state = {};

    if (!out)
        return -ENOMEM;
    while (left > 0) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, text, left, &in_state);
        if (used == (size_t)-1 || used == (size_t)-2 || used == 0)
            return -EILSEQ;

        wint_t mapped = op == MAP_UPPERCASE   ? towupper((wint_t)wide)
                        : op == MAP_LOWERCASE ? towlower((wint_t)wide)
                                              : (wint_t)wide;
        size_t put = wcrtomb(out + n, (wchar_t)mapped, &out_state);
        if (put == (size_t)-1)
            return -EILSEQ;
        n += put;
        text += used;
        left -= used;
        length++;
    }
    out[n] = '\0';
    *ret = TAKE_PTR(out);
    *ret_length = length;
    return 0;
}

static int convert_item(const cJSON *item, MapOp op, cJSON **ret) {
    _cleanup_free_ char *printed = NULL, *converted = NULL;
    size_t length;
    int r;

    if (!cJSON_IsString(item)) {
        printed = cJSON_PrintUnformatted(item);
        if (!printed)
            return -ENOMEM;
    }
    r = convert_text(printed ?: item->valuestring, op, &converted, &length);
    if (r < 0)
        return r;
    cJSON *value =
        op == MAP_LENGTH ? cJSON_CreateNumber((double)length) : cJSON_CreateString(converted);
    if (!value)
        return -ENOMEM;
    *ret = value;
    return 0;
}

/* Each item's object goes out as text and is gone: as one tree, 100,000 of them would be large. */
static int put_item(FILE *out, size_t id, const cJSON *item, MapOp op) {
    _cleanup_(cJSON_Deletep) cJSON *entry = cJSON_CreateObject();
    _cleanup_free_ char *text = NULL;
    cJSON *processed;
    int r;

    r = convert_item(item, op, &processed);
    if (r < 0)
        return r;
    if (!cJSON_AddNumberToObject(entry, "id", (double)id) ||
        !cJSON_AddItemToObject(entry, "processed", processed)) {
        cJSON_Delete(processed);
        return -ENOMEM;
    }
    if (!cJSON_AddNumberToObject(entry, "thread", (double)gettid()))
        return -ENOMEM;
    text = cJSON_PrintUnformatted(entry);
    if (!text)
        return -ENOMEM;
    if (id > 0)
        fputc(',', out);
    fputs(text, out);
    return ferror(out) ? -ENOMEM : 0;
}

static int map_items(TaskContext *c, const Map *p, size_t total, FILE *out) {
    const cJSON *item;
    size_t i = 0;
    int r;

    fputc('[', out);
    cJSON_ArrayForEach (item, p->items) {
        task_context_status(c, "Processing item %zu of %zu", i + 1, total);
        r = task_context_sleep(c, p->item_ms * USEC_PER_MSEC);
        if (r < 0)
            return r;
        r = put_item(out, i, item, (MapOp)p->op);
        if (r < 0)
            return r;
        i++;
        /* The last one is not reported before the result is safe. */
        if (i < total)
            task_context_progress(c, i, total);
    }
    fputc(']', out);
    return fflush(out) == 0 ? 0 : -ENOMEM;
}

static int map_in_locale(TaskContext *c, const Map *p) {
    _cleanup_free_ char *json = NULL;
    size_t size, total = (size_t)cJSON_GetArraySize(p->items);
    _cleanup_fclose_ FILE *out = open_memstream(&json, &size);
    int r;

    if (!out)
        return -ENOMEM;
    r = map_items(c, p, total, out);
    if (r == -ECANCELED)
        task_context_message(c, "Cancelled");
    if (r < 0)
        return r;
    r = kind_set_result(c, json);
    if (r < 0)
        return r;
    task_context_progress(c, total, total);
    task_context_message(c, "%zu %s", total, total == 1 ? "item" : "items");
    return 0;
}

/* Loaded once, and kept: it is read from files. */
static locale_t utf8_locale;

static void load_locale(void) {
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static int map_run(TaskContext *c, const cJSON *params) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    _cleanup_free_ char *error = NULL;
    Map p;
    int r;

    r = map_parse(params, &p, &error);
    if (r < 0)
        return kind_fail_params(c, r, error);

    pthread_once(&once, load_locale);
    if (!utf8_locale) {
        task_context_message(c, "The locale C.UTF-8 is missing on this system");
        return -ENOENT;
    }
    /* For this thread alone: setlocale() would change it under all the others. */
    locale_t before = uselocale(utf8_locale);
    r = map_in_locale(c, &p);
    uselocale(before);
    return r;
}

const Kind kind_map = {
    .name = "map",
    .description = "Converts each item of a list in turn: uppercase, lowercase or length",
    .check = map_check,
    .run = map_run,
};
