/* longrun-worker KIND: runs one built-in kind in a process of its own. */

#include "daemon/kinds/kinds.h"
#include "daemon/worker/worker-main.h"

int main(int argc, char **argv) {
    return worker_main(&(WorkerProgram){.name = "longrun-worker", .kinds = kind_all()}, argc, argv);
}
