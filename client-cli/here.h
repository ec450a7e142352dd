#pragma once

/* A path as one that says the same from everywhere: from where the caller is, in the way in which
 * he came there, symlinks and all, as a shell says it. NULL is that place itself. Fresh string, or
 * NULL after a message, which ends in the advice (" Name one: --cwd DIR"). */
char *here_path(const char *given, const char *advice);
