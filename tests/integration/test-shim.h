#pragma once

#include <check.h>

#include "tests/integration/shim-rig.h"

extern Rig rig; /* the test's, made anew for each */

TCase *tcase_keeper_races(void);
TCase *tcase_shim_exec(void);
TCase *tcase_shim_output(void);
TCase *tcase_shim_notify(void);
TCase *tcase_shim_stop(void);
