#pragma once

#include "daemon/core/backend-settings.h"

/* The settings of a backend as they are kept on disk: a JSON object of them by their names, without
 * those that are as backend_settings_new() gives them. */

/* To be freed; NULL when memory is short. */
char *backend_settings_to_json(const BackendSettings *s);

/* Keys that are unknown or hold another type are passed over; the settings are not checked. 0,
 * -ENOMEM, or -EBADMSG when it is no JSON object. */
int backend_settings_from_json(BackendSettings **ret, const char *json);
