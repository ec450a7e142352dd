#include "daemon/http/http-operation-reading.h"

#include <stdio.h>

#include "common/text.h"
#include "daemon/http/http-operation-find.h"
#include "daemon/http/http-operation-progress.h"

/* ---- the state ---- */

static const char *const state_names[] = {
    "status",       "state",        "provisioningstate", "taskstate", "jobstate", "operationstate",
    "importstatus", "exportstatus", "jobstatus",         "phase",     NULL,
};
static const char *const done_names[] = {
    "done",       "finished",    "complete",   "completed", "isdone",
    "isfinished", "iscompleted", "iscomplete", NULL,
};
static const char *const success_names[] = {"success", "successful", "succeeded", "ok", NULL};
static const char *const error_names[] = {"error", "errors", NULL};

static bool is_bool(const cJSON *value) {
    return cJSON_IsBool(value);
}

static bool is_something(const cJSON *value) {
    return operation_is_text(value) || cJSON_GetArraySize(value) > 0;
}

bool operation_has_error(const cJSON *root) {
    return is_something(operation_member(root, error_names));
}

static bool says_no_success(const cJSON *root) {
    return cJSON_IsFalse(operation_member(root, success_names));
}

static void set_word(OperationReading *r, const char *word) {
    _cleanup_free_ char *clean = text_clean(word, strlen(word), sizeof(r->word) - 4);

    snprintf(r->word, sizeof(r->word), "%s", strempty(clean));
}

/* AIP-151 has no word for it but the code of the error, google.rpc.Code. */
static bool says_cancelled(const cJSON *root) {
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(error, "status");

    return (cJSON_IsNumber(code) && code->valuedouble == 1) ||
           (operation_is_text(status) && operation_words_equal(status->valuestring, "cancelled"));
}

static OperationState state_of_end(const cJSON *root) {
    if (says_cancelled(root))
        return OPERATION_CANCELLED;
    return operation_has_error(root) || says_no_success(root) ? OPERATION_FAILED
                                                              : OPERATION_SUCCEEDED;
}

/* What somebody has named may be a word, a number that stands for one, or whether it is done. */
static void read_named_state(const cJSON *root, const HttpOperationParams *p, OperationReading *r) {
    const cJSON *value = operation_point(root, p->state_field);

    if (cJSON_IsBool(value)) {
        r->state = cJSON_IsTrue(value) ? state_of_end(root) : OPERATION_RUNNING;
        return;
    }
    if (operation_is_text(value))
        set_word(r, value->valuestring);
    else if (cJSON_IsNumber(value))
        snprintf(r->word, sizeof(r->word), "%.15g", value->valuedouble);
    else
        return;
    r->state = operation_state_of(r->word, p);
}

/* An operation of AIP-151 that is under way has no "done" at all: JSON of Protobuf leaves out what
 * is false. */
static bool is_google_operation(const cJSON *root) {
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(root, "name");

    return operation_is_text(name) && strstr(name->valuestring, "operations/") &&
           !operation_member(root, (const char *const[]){"status", "state", NULL});
}

static const cJSON *find_state(const cJSON *root) {
    return operation_find(root, state_names, operation_is_text);
}

/* "done" decides whether it is over, where it is there; how, a word that says so, or an error. */
static void find_state_of(const cJSON *root, const HttpOperationParams *p, OperationReading *r) {
    const cJSON *word = find_state(root), *done = operation_member(root, done_names);

    if (word) {
        set_word(r, word->valuestring);
        r->state = operation_state_of(word->valuestring, p);
    }
    if (is_bool(done)) {
        if (cJSON_IsFalse(done))
            r->state = OPERATION_RUNNING;
        else if (!operation_state_is_final(r->state) || operation_has_error(root))
            r->state = r->state == OPERATION_CANCELLED ? r->state : state_of_end(root);
    } else if (is_google_operation(root))
        r->state = OPERATION_RUNNING;
}

/* ---- words about it ---- */

static const char *const phase_names[] = {
    "phase", "stage", "currentphase", "currentstage", "currentstep", "step", NULL};
static const char *const text_names[] = {
    "statusmessage",   "statustext", "statusdetail", "statusdetails",
    "progressmessage", "message",    "detail",       NULL,
};

/* The last of Redfish's "Messages". */
static const cJSON *last_message(const cJSON *root) {
    const cJSON *list = operation_member(root, (const char *const[]){"messages", NULL});
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

    return n > 0 ? operation_member(cJSON_GetArrayItem(list, n - 1),
                                    (const char *const[]){"message", NULL})
                 : NULL;
}

static void read_words(const cJSON *root, const HttpOperationParams *p, OperationReading *r) {
    const cJSON *text = p->message_field ? operation_point(root, p->message_field)
                                         : operation_find(root, text_names, operation_is_text);
    const cJSON *phase = operation_find(root, phase_names, operation_is_text);

    if (!text && !p->message_field)
        text = last_message(root);
    if (operation_is_text(text))
        r->text = text->valuestring;
    /* Kubernetes calls the state so. */
    if (phase && phase != find_state(root) && phase != text)
        r->phase = phase->valuestring;
}

void operation_read(const cJSON *root, const HttpOperationParams *p, OperationScale *scale,
                    OperationReading *ret) {
    *ret = (OperationReading){.fraction = -1};
    if (p->state_field)
        read_named_state(root, p, ret);
    else
        find_state_of(root, p, ret);
    operation_read_progress(root, p, scale, ret);
    read_words(root, p, ret);
}

/* ---- why it failed ---- */

static const char *const words_of_error[] = {
    "message",       "detail", "errormessage", "errordescription",
    "description",   "title",  "reason",       "failurereason",
    "statusmessage", "error",  NULL,
};
static const char *const words_of_answer[] = {
    "errormessage", "errordescription", "failurereason",
    "detail",       "message",          "statusmessage",
    "title",        "reason",           NULL,
};

/* Redfish has the message that says something below. */
static const cJSON *extended_info(const cJSON *error) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(error, "@Message.ExtendedInfo");
    const cJSON *first = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, 0) : NULL;

    return first ? operation_member(first, words_of_error) : NULL;
}

/* One that is a list, or an object in an object. */
static const cJSON *innermost(const cJSON *error) {
    for (int depth = 0; depth < 4 && error; depth++) {
        const cJSON *inner = cJSON_IsArray(error)    ? cJSON_GetArrayItem(error, 0)
                             : cJSON_IsObject(error) ? operation_member(error, words_of_error)
                                                     : NULL;
        if (!cJSON_IsArray(inner) && !cJSON_IsObject(inner))
            return cJSON_IsArray(error) ? inner : error;
        error = inner;
    }
    return error;
}

static char *describe(const char *code, const char *text) {
    char *all;

    if (!code || (text && strstr(text, code)))
        return strdup(text ?: strempty(code));
    return asprintf(&all, "%s%s%s", code, text ? ": " : "", strempty(text)) < 0 ? NULL : all;
}

static char *text_of_error(const cJSON *error) {
    const cJSON *info = extended_info(error), *text, *code;

    error = innermost(error);
    if (operation_is_text(error))
        return strdup(error->valuestring);
    if (cJSON_IsNumber(error) || !is_something(error))
        return NULL;
    text = info ?: operation_member(error, words_of_error);
    code = operation_member(error, (const char *const[]){"code", "type", NULL});
    if (!operation_is_text(text) && !operation_is_text(code))
        return cJSON_PrintUnformatted(error);
    return describe(!info && operation_is_text(code) ? code->valuestring : NULL,
                    operation_is_text(text) ? text->valuestring : NULL);
}

static char *raw_error_text(const cJSON *root, const char *body, const HttpOperationParams *p) {
    const cJSON *error = p && p->error_field ? operation_point(root, p->error_field)
                                             : operation_find(root, error_names, is_something);
    char *text = error ? text_of_error(error) : NULL;

    if (text || !root) /* a page for people says nothing in one line */
        return text ?: strdup(body && body[strspn(body, " \t\r\n")] != '<' ? body : "");
    error = operation_find(root, words_of_answer, operation_is_text);
    if (!error)
        error = last_message(root);
    if (error)
        return strdup(strempty(error->valuestring));
    return operation_is_text(root) ? strdup(root->valuestring) : NULL;
}

char *operation_error_text(const cJSON *root, const char *body, const HttpOperationParams *p) {
    _cleanup_free_ char *raw = raw_error_text(root, body, p), *text = NULL;

    if (!raw)
        return NULL;
    for (char *s = raw; *s; s++)
        if (*s == '\n' || *s == '\r' || *s == '\t')
            *s = ' ';
    text = text_clean(raw, strlen(raw), OPERATION_TEXT_MAX);
    return isempty(text) ? NULL : TAKE_PTR(text);
}
