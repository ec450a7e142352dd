#pragma once

#include "daemon/http/download-try.h"

/* What an answer is, told by its head: the file, the rest of it, another file, or an error. */

/* Whether the rest of what is there may be asked for. */
bool download_may_resume(const DownloadTry *t);

/* Once for each answer, when its head is there. True: its body goes into the file, which has been
 * made ready. Else t->end and t->why say what it is. */
bool download_decide(DownloadTry *t);
