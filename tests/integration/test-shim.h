#pragma once

#include <check.h>

#include "tests/integration/shim-rig.h"

extern Rig rig; /* the test's, made anew for each */

TCase *tcase_keeper_races(void);
TCase *tcase_shim_exec(void);
TCase *tcase_shim_output(void);
TCase *tcase_shim_notify(void);
TCase *tcase_shim_progress(void);
TCase *tcase_shim_messages(void);
TCase *tcase_shim_stdin(void);
TCase *tcase_shim_stop(void);
TCase *tcase_shim_take_up(void);
TCase *tcase_shim_limits(void);
TCase *tcase_shim_pause(void);
TCase *tcase_shim_pty(void);
TCase *tcase_shim_journal(void);
TCase *tcase_shim_cgroup(void); /* with --cgroup alone */
TCase *tcase_keeper(void);
