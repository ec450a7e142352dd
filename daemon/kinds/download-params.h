#pragma once

#include "daemon/kinds/kinds.h"

/* The params of the kind download. Its work is not here but in daemon/http/download.c, in a program
 * of its own. */

#define DOWNLOAD_URLS_MAX ((size_t)32)
#define DOWNLOAD_URL_MAX ((size_t)(8 * KIB))
#define DOWNLOAD_HEADERS_MAX ((size_t)32)
#define DOWNLOAD_HEADER_MAX ((size_t)(4 * KIB)) /* name and value together */
#define DOWNLOAD_SIZE_MAX (UINT64_C(1) << 50)
#define DOWNLOAD_SHA256_SIZE 65 /* in hexadecimal, with its NUL */

#define DOWNLOAD_SIZE_UNKNOWN UINT64_MAX

typedef struct DownloadParams {
    char **urls;      /* mirrors, in the order in which they are tried; at least one */
    const char *path; /* of a file or a folder, absolute or relative to the working directory;
                         "" = that. Of the params, as all that is not said to be owned */
    char sha256[DOWNLOAD_SHA256_SIZE]; /* lower case; "" = none */
    uint64_t size;                     /* bytes, or DOWNLOAD_SIZE_UNKNOWN */
    bool overwrite;
    const char *ca_file;    /* absolute; "" = the system's */
    char **headers;         /* "Name: value", owned; NULL = none */
    bool basic;             /* what the credential is: "user:password", else a token (bearer) */
    const char *credential; /* absolute path of a file; "" = none */
    uint64_t give_up_after_usec; /* without a byte; 0 = when none of the mirrors can be had */
    uint64_t stall_timeout_usec; /* of one try, without a byte */
} DownloadParams;

/* 0, or -EINVAL and in *ret_error what is wrong, or -ENOMEM. *ret is to be given up in any case. */
int download_params_parse(const cJSON *params, DownloadParams *ret, char **ret_error);
void download_params_done(DownloadParams *p);
