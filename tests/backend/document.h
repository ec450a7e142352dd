#pragma once

#include <uthash.h>

#include "tests/backend/exchange.h"

/* Documents under /doc/NAME, to be polled; PUT makes or changes one. Each has
 *
 *     json or text       what is in it
 *     etag true          or false, "weak", or any string
 *     last_modified      true or false */

#define DOCUMENTS_MAX 10000

typedef struct Document {
    char *name, *content, *type;
    unsigned version;
    uint64_t changed; /* seconds since the epoch */
    char *etag;       /* NULL = none */
    bool last_modified;
    UT_hash_handle hh;
} Document;

typedef struct Documents {
    Document *all;
} Documents;

void documents_clear(Documents *d); /* also at the end */
void documents_set(Documents *d, const char *name, const cJSON *document);
bool documents_route(Exchange *e, Documents *d);

/* Sets ETag and Last-Modified, and says whether the client has it already: then the reply is there.
 * etag: NULL = none. */
bool document_is_known(Exchange *e, const char *etag, uint64_t modified);
/* As HTTP has it: "Sun, 06 Nov 1994 08:49:37 GMT". */
#define HTTP_DATE_SIZE 32
const char *http_date(char buf[HTTP_DATE_SIZE], uint64_t seconds);
