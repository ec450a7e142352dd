#pragma once

/* File names are bytes; a line of a log and a key of a JSON object take fewer. Both functions leave
 * every usual name as it is and mark one that they had to change by a backslash in front, which no
 * absolute path begins with: so no two names look the same. Fresh strings, NULL when memory is
 * short.
 */

/* For a line, as sha256sum(1) does it: backslash, line feed and carriage return become \\, \n and
 * \r. Other bytes stay as they are, whether or not they are UTF-8. */
char *checksum_name_for_line(const char *path);

/* For a JSON string: a name that is not valid UTF-8 has each byte that is not ASCII, or is a
 * control character, as \xNN, and each backslash doubled. */
char *checksum_name_for_json(const char *path);
