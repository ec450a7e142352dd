#pragma once

#include "daemon/core/backend-settings.h"
#include "daemon/core/expectation.h"

/* What the settings of a backend may be. */

#define BACKEND_INTERVAL_MIN (100 * USEC_PER_MSEC)
#define BACKEND_INTERVAL_LIMIT (7 * USEC_PER_DAY)
#define BACKEND_TIMEOUT_MIN (10 * USEC_PER_MSEC)
#define BACKEND_TIMEOUT_LIMIT (10 * USEC_PER_MINUTE)
#define BACKEND_RESPONSE_LIMIT (64 * MIB)
#define BACKEND_THRESHOLD_LIMIT 1000
#define BACKEND_TEXT_MAX 2048 /* bytes of a string */
#define BACKEND_EXPECT_MAX EXPECTATIONS_MAX

/* Whether the number is within the bounds of the setting; name: what the one who asks calls it. 0
 * or -EREMOTE. */
int backend_number_check(const BackendSetting *setting, const char *name, uint64_t value,
                         Error *error);
