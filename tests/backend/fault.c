#include "tests/backend/fault.h"

#include <fnmatch.h>

#include "tests/backend/memory.h"

void faults_init(Faults *f) {
    *f = (Faults){.list = must(cJSON_CreateArray())};
}

void faults_seed(Faults *f, uint32_t seed) {
    f->seed[0] = 0x330e; /* as srand48(3) */
    f->seed[1] = (unsigned short)seed;
    f->seed[2] = (unsigned short)(seed >> 16);
}

void faults_clear(Faults *f) {
    cJSON_Delete(f->list);
    f->list = must(cJSON_CreateArray());
}

void faults_done(Faults *f) {
    cJSON_Delete(f->list);
    f->list = NULL;
}

double faults_random(Faults *f) {
    return erand48(f->seed);
}

const char *faults_add(Faults *f, cJSON *fault) {
    const char *wrong = NULL;

    if (!cJSON_IsObject(fault))
        wrong = "a fault is an object";
    else if (!fault_kind_is_known(json_string(fault, "kind", "")))
        wrong = "no such kind of fault";
    else if (!json_string(fault, "path", NULL))
        wrong = "a fault needs a path; \"*\" is for all";
    else if (cJSON_GetArraySize(f->list) >= FAULTS_MAX)
        wrong = "too many faults";
    if (wrong)
        cJSON_Delete(fault);
    else
        cJSON_AddItemToArray(f->list, fault);
    return wrong;
}

const char *faults_add_text(Faults *f, const char *text) {
    const char *colon = strchr(text, ':');
    cJSON *fault;

    if (text[0] == '{')
        return faults_add(f, cJSON_Parse(text));
    fault = must(cJSON_CreateObject());
    _cleanup_free_ char *kind = must(strndup(text, colon ? (size_t)(colon - text) : strlen(text)));
    cJSON_AddStringToObject(fault, "kind", kind);
    cJSON_AddStringToObject(fault, "path", colon ? colon + 1 : "*");
    return faults_add(f, fault);
}

/* ---- which one ---- */

static bool fits(const cJSON *fault, const Exchange *e) {
    const char *method = json_string(fault, "method", NULL);

    return fnmatch(json_string(fault, "path", ""), e->path, 0) == 0 &&
           (!method || streq(method, e->method));
}

/* Whether it is above zero; then it is one less. */
static bool take_one(const cJSON *fault, const char *counter) {
    cJSON *n = cJSON_GetObjectItemCaseSensitive(fault, counter);

    if (!cJSON_IsNumber(n) || n->valuedouble < 1)
        return false;
    cJSON_SetNumberValue(n, n->valuedouble - 1);
    return true;
}

static bool strikes(Faults *f, const cJSON *fault) {
    if (take_one(fault, "skip"))
        return false;
    if (faults_random(f) >= json_number(fault, "chance", 1))
        return false;
    return !cJSON_HasObjectItem(fault, "count") || take_one(fault, "count");
}

cJSON *faults_match(Faults *f, const Exchange *e) {
    cJSON *fault;

    cJSON_ArrayForEach (fault, f->list)
        if (fits(fault, e) && strikes(f, fault)) {
            f->done++;
            return must(cJSON_Duplicate(fault, true));
        }
    return NULL;
}
