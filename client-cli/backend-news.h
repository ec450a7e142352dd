#pragma once

#include "client-cli/json.h"

/* What is told of backends, a line each. */

/* A line of news: its time, the backend and what has happened; object, which is deleted, has more.
 */
typedef struct BackendNews {
    const char *backend, *event;
    const char *detail; /* for people; NULL: none */
    cJSON *object;      /* for programs: what is added to it; NULL: none */
} BackendNews;

/* Prints it at once, as text or as JSON. */
void backend_news_print(const BackendNews *news, bool as_json);
