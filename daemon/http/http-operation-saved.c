#include "daemon/http/http-operation-saved.h"

#include <errno.h>

static const char *const tracks[] = {
    [OPERATION_TRACK_NONE] = "none",
    [OPERATION_TRACK_STATUS] = "status",
    [OPERATION_TRACK_RESOURCE] = "resource",
};

void operation_saved_done(OperationSaved *s) {
    free(s->key);
    free(s->url);
    free(s->result_url);
    *s = (OperationSaved){};
}

char *operation_saved_format(const OperationSaved *s) {
    _cleanup_(cJSON_Deletep) cJSON *o = cJSON_CreateObject();
    bool ok = cJSON_AddNumberToObject(o, "attempt", s->attempt) &&
              cJSON_AddStringToObject(o, "key", s->key);

    if (ok && s->url)
        ok = cJSON_AddStringToObject(o, "url", s->url) &&
             cJSON_AddStringToObject(o, "track", tracks[s->track]);
    if (ok && s->result_url)
        ok = cJSON_AddStringToObject(o, "result-url", s->result_url);
    return ok ? cJSON_PrintUnformatted(o) : NULL;
}

static int read_string(const cJSON *o, const char *name, char **ret) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, name);

    if (!value)
        return 0;
    if (!cJSON_IsString(value))
        return -EBADMSG;
    *ret = strdup(value->valuestring);
    return *ret ? 0 : -ENOMEM;
}

static int read_track(const cJSON *o, OperationTrack *ret) {
    const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "track"));

    for (size_t i = 0; word && i < ELEMENTSOF(tracks); i++)
        if (streq(word, tracks[i])) {
            *ret = (OperationTrack)i;
            return 0;
        }
    return -EBADMSG;
}

static int read_saved(const cJSON *o, uint32_t attempt, OperationSaved *s) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(o, "attempt");
    int r = !cJSON_IsNumber(number) ? -EBADMSG : number->valuedouble != attempt ? -ESTALE : 0;

    s->attempt = attempt;
    if (r >= 0)
        r = read_string(o, "key", &s->key);
    if (r >= 0 && !s->key)
        r = -EBADMSG;
    if (r >= 0)
        r = read_string(o, "url", &s->url);
    if (r >= 0 && s->url)
        r = read_track(o, &s->track);
    if (r >= 0)
        r = read_string(o, "result-url", &s->result_url);
    return r;
}

int operation_saved_parse(const char *json, uint32_t attempt, OperationSaved *ret) {
    _cleanup_(cJSON_Deletep) cJSON *o = cJSON_Parse(json);
    OperationSaved s = {};
    int r = read_saved(o, attempt, &s);

    if (r < 0)
        operation_saved_done(&s);
    else
        *ret = s;
    return r;
}
