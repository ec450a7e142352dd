#pragma once

#include "daemon/core/error.h"
#include "daemon/http/http-loop.h"

/* Secrets lie in files, and are in no setting, no log and no error. */

#define HTTP_SECRET_MAX (8 * KIB)

/* Reads one from a file by its absolute path, or by the name of a credential of systemd
 * ($CREDENTIALS_DIRECTORY). Of a line break at the end nothing is kept. As ssh does with its keys,
 * a file of ours that others can read is refused. 0, -EREMOTE with the error set, or -ENOMEM. */
int http_secret_read(const char *credential, HttpAuthType auth, char **ret, Error *error);

/* Wipes and frees it. NULL-safe, gives NULL. */
char *http_secret_free(char *secret);
