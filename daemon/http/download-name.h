#pragma once

#include "common/macro.h"

/* Names of files. Pure. */

#define DOWNLOAD_NAME_MAX 255 /* NAME_MAX */

/* The name that a url gives to a file in a folder: the last part of its path, with %XX read, fit to
 * be the name of a file: no slash, no control characters, no dot at its beginning, which would hide
 * it or change what a program does. Owned by the caller; NULL when the path names none, or when
 * memory is short. */
char *download_name_from_url(const char *url);

/* The name beside it of what is there so far, and of what is known of that (suffix: "" and
 * ".state"). A name that has no room for more is replaced by a number made of it. */
void download_name_partial(const char *name, const char *suffix, char ret[DOWNLOAD_NAME_MAX + 1]);

/* "mirror.example.org:8080", for people; empty when it is none. */
void download_name_host(const char *url, char *ret, size_t size);
