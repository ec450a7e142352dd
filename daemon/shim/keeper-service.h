#pragma once

/* Tells the service manager, as sd_notify(3) does. Without one nothing happens. */
void keeper_notify(const char *text);
