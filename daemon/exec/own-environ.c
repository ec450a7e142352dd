#include "daemon/exec/own-environ.h"

static const char *const own_variables[] = {
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "MAINPID",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "DBUS_STARTER_ADDRESS",
    "DBUS_STARTER_BUS_TYPE",
};

bool environ_is_own(const char *entry) {
    for (size_t i = 0; i < ELEMENTSOF(own_variables); i++)
        if (strncmp(entry, own_variables[i], strlen(own_variables[i])) == 0 &&
            entry[strlen(own_variables[i])] == '=')
            return true;
    return strncmp(entry, "LONGRUN_", strlen("LONGRUN_")) == 0;
}
