#pragma once

#include "daemon/shim/progress-reader.h"

/* Ends the program unless the state is one that may be told. */
void fuzz_check_state(const ProgressState *s);

/* The same, and unless it comes after the other, with one reading at most between them. */
void fuzz_check_step(const ProgressState *before, const ProgressState *now);
