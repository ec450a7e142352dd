#pragma once

#include "common/macro.h"

/* Texts of messengers: of the people who use one, and of servers that need not be right. */

#define MESSENGER_NAME_MAX 255 /* bytes of a name, and of an id */
#define MESSENGER_CONTENT_MAX (64 * KIB)

/* What keeps a text from being a name or an id, in words that follow it ("is empty"); NULL:
 * nothing. They become a step of a path, and a line of what people read: so they are one line, and
 * neither "." nor "..", which would make a path another one. */
const char *messenger_name_problem(const char *name);

/* There is nothing in it but blanks: it is not sent. */
bool messenger_is_blank(const char *content);

/* What a message says, for D-Bus and a screen: plain text, markup and all, of one or more lines.
 * What is no UTF-8, and what would make a terminal do something, becomes U+FFFD instead of an
 * error: whoever may write to somebody must not be able to take the other messages away. A line
 * ends with
 * "\n". Cut to MESSENGER_CONTENT_MAX, with "…" at the end. NULL when memory is short. */
char *messenger_content_clean(const char *content);

/* As a step of a path, or a value of a query: all is percent-encoded but the unreserved characters
 * of RFC 3986. To be freed; NULL when memory is short. */
char *messenger_url_encode(const char *text);

/* In a JSON text, "\u0000" and halves of surrogate pairs become "\ufffd", in place: no string can
 * have them. Programs that cut a text in the middle of an emoji send them. */
void messenger_repair_escapes(char *json);
