#pragma once

#include "common/macro.h"

/* The progress that a terminal shows by itself, on its tab or in the task bar: OSC 9;4. Nothing is
 * written where stdout or stderr is none that is known to pass over what it does not know. */

/* percent: below 0 = busy, how far is not known. */
void terminal_progress_show(int percent);
/* Nothing to show any more. */
void terminal_progress_clear(void);

/* What clears it, for one who has to write that himself; "" where nothing is ever shown. */
const char *terminal_progress_off(void);
