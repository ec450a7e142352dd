#include "client-cli/backend-news.h"

#include <stdio.h>
#include <time.h>

#include "client-cli/output.h"
#include "common/clock.h"

static void print_json(const BackendNews *news, uint64_t now_usec) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddItemToObject(object, "time", json_new_u64(now_usec));
    cJSON_AddStringToObject(object, "backend", news->backend);
    cJSON_AddStringToObject(object, "event", news->event);
    while (news->object && news->object->child) {
        cJSON *item = cJSON_DetachItemViaPointer(news->object, news->object->child);
        _cleanup_free_ char *key = must(strdup(item->string));
        cJSON_AddItemToObject(object, key, item);
    }
    json_print_line(object);
}

static void print_text(const BackendNews *news, uint64_t now_usec) {
    _cleanup_free_ char *backend = text_display(news->backend);
    _cleanup_free_ char *detail = text_display(strempty(news->detail));
    char stamp[TIME_MAX];

    printf("%s %s %s%s%s\n", format_stamp(stamp, now_usec), backend, news->event,
           *detail ? ": " : "", detail);
    fflush(stdout);
}

void backend_news_print(const BackendNews *news, bool as_json) {
    uint64_t now_usec = clock_usec(CLOCK_REALTIME);

    if (as_json)
        print_json(news, now_usec);
    else
        print_text(news, now_usec);
    cJSON_Delete(news->object);
}
