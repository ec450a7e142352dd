#include "daemon/http/http-seen.h"

#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"

/* ---- the digest ---- */

static void init(void) {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return;
    gcry_check_version(NULL);
    gcry_control(GCRYCTL_DISABLE_SECMEM);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED);
}

static void digest_of(const HttpReply *reply, unsigned char digest[32]) {
    init();
    gcry_md_hash_buffer(GCRY_MD_SHA256, digest, reply->body, reply->body_size);
}

/* ---- validators ---- */

/* What could not be a header of a request is left out. */
static bool is_validator(const char *value) {
    if (isempty(value) || strlen(value) > HTTP_VALIDATOR_MAX)
        return false;
    for (const char *c = value; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return true;
}

static char *header_of(const char *name, const char *value) {
    char *header;

    if (!is_validator(value) || asprintf(&header, "%s: %s", name, value) < 0)
        return NULL;
    return header;
}

/* An entity tag says more, but the date is for those who do not know tags. */
static void keep_validators(HttpSeen *s, const HttpReply *reply) {
    size_t n = 0;

    s->headers[n] = header_of("If-None-Match", http_reply_header(reply, "ETag"));
    n += s->headers[n] != NULL;
    s->headers[n] = header_of("If-Modified-Since", http_reply_header(reply, "Last-Modified"));
}

/* ---- what was seen ---- */

static void forget_validators(HttpSeen *s) {
    for (size_t i = 0; i < ELEMENTSOF(s->headers); i++) {
        free(s->headers[i]);
        s->headers[i] = NULL;
    }
}

void http_seen_forget(HttpSeen *s) {
    forget_validators(s);
    *s = (HttpSeen){};
}

const char *const *http_seen_headers(const HttpSeen *s) {
    return (const char *const *)s->headers;
}

HttpNews http_seen_compare(const HttpSeen *s, const HttpReply *reply) {
    unsigned char digest[32];

    if (reply->status == 304)
        return s->headers[0] ? HTTP_SAME : HTTP_NOTHING;
    if (!s->is_known)
        return HTTP_NEW;
    digest_of(reply, digest);
    return memcmp(digest, s->digest, sizeof(digest)) == 0 ? HTTP_SAME : HTTP_NEW;
}

void http_seen_renew(HttpSeen *s, const HttpReply *reply) {
    forget_validators(s);
    keep_validators(s, reply);
}

void http_seen_keep(HttpSeen *s, const HttpReply *reply) {
    http_seen_forget(s);
    digest_of(reply, s->digest);
    keep_validators(s, reply);
    s->is_known = true;
}
