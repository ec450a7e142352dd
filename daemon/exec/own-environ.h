#pragma once

#include "common/macro.h"

/* The variable (VARIABLE=VALUE) was given to the daemon for itself, as a service or as a task of
 * another daemon, and is no business of what it starts. */
bool environ_is_own(const char *entry);
