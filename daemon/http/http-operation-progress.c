#include "daemon/http/http-operation-progress.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/http/http-operation-find.h"

#define COUNT_MAX 9007199254740992.0 /* 2^53, above it a double is not exact */

static const char *const percent_names[] = {
    "percentcomplete",
    "percentcompleted",
    "percentagecomplete",
    "percentdone",
    "progresspercentage",
    "progresspercent",
    "percentage",
    "percent",
    "pct",
    "donepercent",
    NULL,
};
static const char *const fraction_names[] = {"fraction", "fractioncomplete", "completionfraction",
                                             "fractiondone", NULL};
static const char *const progress_names[] = {"progress", NULL};
static const char *const done_names[] = {
    "done",           "completed",      "processed",      "current",
    "finished",       "completedsteps", "doneitems",      "processeditems",
    "completeditems", "bytesdone",      "processedbytes", NULL,
};
static const char *const total_names[] = {"total",      "totalsteps", "totalitems",
                                          "totalcount", "totalbytes", NULL};

/* ---- numbers ---- */

static void set_percent(OperationReading *r, double value) {
    if (value >= 0 && value <= 100)
        r->fraction = value / 100;
}

static void set_counts(OperationReading *r, double done, double total) {
    if (!(done >= 0 && total >= 1 && total <= COUNT_MAX))
        return;
    r->total = (uint64_t)total;
    r->done = done >= total ? r->total : (uint64_t)done;
    r->fraction = (double)r->done / (double)r->total;
}

/* A number of which nobody says how much all of it is. */
static void set_either(OperationReading *r, double value, OperationScale *scale) {
    if (!(value >= 0 && value <= 100))
        return;
    if (value > 1)
        *scale = OPERATION_SCALE_PERCENT;
    else if (value != floor(value) && *scale == OPERATION_SCALE_UNKNOWN)
        *scale = OPERATION_SCALE_FRACTION;
    r->fraction = *scale == OPERATION_SCALE_FRACTION ? value : value / 100;
}

/* "42%", "42", "0.42", "3/10", "3 of 10" */
static void set_text(OperationReading *r, const char *s, OperationScale *scale) {
    char *end;
    double value = strtod(s, &end), total;

    if (end == s)
        return;
    end += strspn(end, " ");
    if (*end == '%') {
        set_percent(r, value);
        return;
    }
    if (*end == '/' || strncmp(end, "of ", 3) == 0) {
        char *after, *begin = end + (*end == '/' ? 1 : 3);
        total = strtod(begin, &after);
        if (after != begin)
            set_counts(r, value, total);
        return;
    }
    if (*end == '\0')
        set_either(r, value, scale);
}

/* ---- fields ---- */

static bool is_number_or_text(const cJSON *value) {
    return operation_is_number(value) || operation_is_text(value);
}

static bool is_progress(const cJSON *value) {
    return is_number_or_text(value) || cJSON_IsObject(value);
}

static void read_counts(const cJSON *done, const cJSON *total, OperationReading *r) {
    if (cJSON_IsNumber(done) && cJSON_IsNumber(total))
        set_counts(r, done->valuedouble, total->valuedouble);
}

static void read_percent(const cJSON *value, OperationReading *r) {
    char *end;

    if (cJSON_IsNumber(value)) {
        set_percent(r, value->valuedouble);
        return;
    }
    double number = strtod(value->valuestring, &end);
    if (end != value->valuestring)
        set_percent(r, number);
}

/* In an object whose name says that it is all about progress. */
static void read_object(const cJSON *object, OperationScale *scale, OperationReading *r) {
    const cJSON *value = operation_member(object, percent_names);

    read_counts(operation_member(object, done_names), operation_member(object, total_names), r);
    if (r->fraction >= 0)
        return;
    if (value && is_number_or_text(value)) {
        read_percent(value, r);
        return;
    }
    value = operation_member(object, (const char *const[]){"value", "fraction", NULL});
    if (cJSON_IsNumber(value))
        set_either(r, value->valuedouble, scale);
}

static void read_value(const cJSON *value, OperationScale *scale, OperationReading *r) {
    if (cJSON_IsNumber(value))
        set_either(r, value->valuedouble, scale);
    else if (cJSON_IsString(value))
        set_text(r, value->valuestring, scale);
    else if (cJSON_IsObject(value))
        read_object(value, scale, r);
}

static bool names_percent(const char *pointer) {
    const char *last = strrchr(pointer, '/');

    return strcasestr(last ?: pointer, "percent") || strcasestr(last ?: pointer, "pct");
}

static void read_named(const cJSON *root, const HttpOperationParams *p, OperationScale *scale,
                       OperationReading *r) {
    const cJSON *value = operation_point(root, p->progress_field);

    if (p->total_field)
        read_counts(value, operation_point(root, p->total_field), r);
    else if (value && is_number_or_text(value) && names_percent(p->progress_field))
        read_percent(value, r);
    else if (value)
        read_value(value, scale, r);
}

static bool is_count(const cJSON *value) {
    return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
}

/* "progress": 3, "total": 12 */
static void read_progress_of_total(const cJSON *root, OperationReading *r) {
    const cJSON *done = operation_member(root, progress_names);
    const cJSON *total = operation_member(root, total_names);

    if (is_count(done) && is_count(total) && done->valuedouble <= total->valuedouble)
        set_counts(r, done->valuedouble, total->valuedouble);
}

static void find_progress(const cJSON *root, OperationScale *scale, OperationReading *r) {
    const cJSON *value = operation_find(root, percent_names, is_number_or_text);

    if (value)
        read_percent(value, r);
    if (r->fraction < 0)
        read_progress_of_total(root, r);
    if (r->fraction < 0 && (value = operation_find(root, progress_names, is_progress)))
        read_value(value, scale, r);
    if (r->fraction < 0 && (value = operation_find(root, fraction_names, operation_is_number)) &&
        value->valuedouble >= 0 && value->valuedouble <= 1)
        r->fraction = value->valuedouble;
    if (r->fraction < 0)
        read_counts(operation_find(root, done_names, operation_is_number),
                    operation_find(root, total_names, operation_is_number), r);
}

void operation_read_progress(const cJSON *root, const HttpOperationParams *p, OperationScale *scale,
                             OperationReading *ret) {
    if (p->progress_field)
        read_named(root, p, scale, ret);
    else
        find_progress(root, scale, ret);
}
