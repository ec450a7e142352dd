/* longrun-download download: the kind of that name, in a program of its own, so that libcurl is
 * loaded by those who need it. */

#include "daemon/http/download.h"
#include "daemon/kinds/download-params.h"
#include "daemon/worker/worker-main.h"

int main(int argc, char **argv) {
    Kind kind = kind_download;

    kind.run = download_run;
    return worker_main(
        &(WorkerProgram){.name = kind.program, .kinds = (const Kind *const[]){&kind, NULL}}, argc,
        argv);
}
