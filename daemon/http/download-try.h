#pragma once

#include <curl/curl.h>

#include "daemon/http/download-answer.h"
#include "daemon/http/download-file.h"
#include "daemon/http/download-hash.h"
#include "daemon/http/http-redirect.h"

/* One try: a request for the file, or for the rest of it, and its redirects; what comes goes into
 * the file. */

typedef enum TryEnd {
    TRY_WHOLE,     /* all of it is there */
    TRY_AGAIN,     /* it may work later, from where it is */
    TRY_ANEW,      /* what is there is not the beginning of what the server has: at once, from the
                      beginning */
    TRY_OTHER,     /* not from this mirror */
    TRY_CANCELLED, /* by on_tick */
    TRY_FATAL,     /* nor from any other */
} TryEnd;

typedef struct DownloadTry {
    /* Set by the caller, not owned. */
    const DownloadParams *params;
    DownloadFile *file;
    DownloadHash *hash;
    CURLM *multi;
    CURL *easy;
    const char *url, *secret; /* secret: NULL = none */
    bool whole;               /* from the beginning, whatever is there */
    /* Called several times a second: how long it was since the last call, microseconds of which a
     * pause of this process is no part. Negative: cancelled. */
    int (*on_tick)(void *userdata, uint64_t usec);
    /* What the server has answered, in words for the log. */
    void (*on_answer)(void *userdata, bool anew, uint64_t total);
    void *userdata;

    /* What came of it. */
    TryEnd end;
    int error;                 /* -errno of TRY_FATAL */
    char *why;                 /* words for all but TRY_WHOLE, owned by the caller */
    uint64_t retry_after_usec; /* as the server says; 0 = nothing */

    /* While it is at work. */
    DownloadAnswer answer;
    char detail[CURL_ERROR_SIZE];
    char *at; /* the url behind redirects, owned */
    bool elsewhere, decided, asked_range;
    uint64_t idle_usec, skipped;
} DownloadTry;

TryEnd download_try(DownloadTry *t);
