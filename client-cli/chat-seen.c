#include "client-cli/chat-seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/json.h"
#include "client-cli/output.h"

void chat_seen_done(ChatSeen *s) {
    for (size_t i = 0; i < s->n; i++)
        free(s->keys[i]);
    free(s->keys);
    *s = (ChatSeen){};
}

/* Servers that give no ids are told apart by what there is. */
static char *key_of(const cJSON *message) {
    const char *id = json_string(message, "id");
    char *key;

    if (asprintf(&key, "%s/%s/%" PRIu64 "/%s", id, *id ? "" : json_string(message, "direction"),
                 *id ? 0 : json_u64(message, "timestamp"),
                 *id ? "" : json_string(message, "content")) < 0)
        key = NULL;
    return must(key);
}

static bool is_known(const ChatSeen *s, const char *key) {
    for (size_t i = 0; i < s->n; i++)
        if (streq(s->keys[i], key))
            return true;
    return false;
}

static bool any_known(const ChatSeen *s, char *const *keys, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_known(s, keys[i]))
            return true;
    return false;
}

static void keep(ChatSeen *s, char **keys, size_t n) {
    if (n == 0) {
        free(keys);
        return;
    }
    for (size_t i = 0; i < s->n; i++)
        free(s->keys[i]);
    free(s->keys);
    s->keys = keys;
    s->n = n;
}

void chat_seen_take(ChatSeen *s, const cJSON *messages,
                    void (*func)(void *userdata, const cJSON *message), void *userdata) {
    size_t n = (size_t)cJSON_GetArraySize(messages), i = 0;
    char **keys = must(calloc(n + 1, sizeof(char *)));
    uint64_t newest = s->newest;
    const cJSON *message;

    cJSON_ArrayForEach (message, messages) {
        keys[i++] = key_of(message);
        newest = MAX(newest, json_u64(message, "timestamp"));
    }
    /* Of a list that has nothing of the one before, what is not older than that is new. */
    bool common = any_known(s, keys, n), passed = !common;
    i = 0;
    cJSON_ArrayForEach (message, messages) {
        uint64_t time_usec = json_u64(message, "timestamp");
        bool known = is_known(s, keys[i++]);
        passed = passed || known;
        if (passed && !known && (common || time_usec == 0 || time_usec >= s->newest))
            func(userdata, message);
    }
    s->newest = newest;
    keep(s, keys, n);
}
