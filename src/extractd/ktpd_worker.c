#include "ktpd_worker.h"
#include "ktpd_log.h"
#include "ktpd_sandbox.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


static int  ktpd_worker_enclose(ktpd_worker_t *worker);
static void ktpd_worker_read(ktpd_worker_t        *worker,
                             const ktpd_message_t *work);


void
ktpd_worker_run(ktpd_worker_t *worker)
{
    int            fd;
    ptrdiff_t      n;
    ktpd_message_t message;

    if (ktpd_worker_enclose(worker) != 0) {
        _exit(KTPD_WORKER_FAILED);
    }

    fd = worker->slots[worker->slot].worker;

    memset(&message, 0, sizeof(message));
    message.type = KTPD_READY;
    message.slot = worker->slot;
    message.life = worker->life;

    if (ktpd_channel_send(fd, &message, sizeof(message)) != 0) {
        _exit(KTPD_WORKER_FAILED);
    }

    for (;;) {
        n = ktpd_channel_receive(fd, &message, sizeof(message), 1);

        if (n != sizeof(message) || message.type != KTPD_WORK) {
            _exit(KTPD_WORKER_DONE);
        }

        /* what was meant for the one before has been given up already */

        if (message.life == worker->life && message.size <= KTP_MAX_IMAGE) {
            ktpd_worker_read(worker, &message);
            _exit(KTPD_WORKER_DONE);
        }
    }
}


/* from here on it has its reader, one image, one channel, and nothing else */

static int
ktpd_worker_enclose(ktpd_worker_t *worker)
{
    unsigned     i;
    ktpd_slot_t *slot;

    for (i = 0; i < worker->n; i++) {
        slot = &worker->slots[i];

        if (i == worker->slot) {
            continue;
        }

        if (munmap(slot->image, KTP_MAX_IMAGE) == -1) {
            ktpd_log_errno("munmap() failed");
            return -1;
        }
    }

    slot = &worker->slots[worker->slot];

    if (mprotect(slot->image, KTP_MAX_IMAGE, PROT_READ) == -1) {
        ktpd_log_errno("mprotect() failed");
        return -1;
    }

    return ktpd_sandbox_worker(slot->worker, worker->null, worker->timeout,
                               worker->sandbox);
}


static void
ktpd_worker_read(ktpd_worker_t *worker, const ktpd_message_t *work)
{
    size_t        size;
    ktpd_slot_t  *slot;
    ktpd_answer_t answer;

    slot = &worker->slots[worker->slot];
    size = (size_t) work->size;

    memset(&answer, 0, sizeof(answer));
    answer.result = work->check ? ktpr_reader_check(
                        worker->reader, slot->image, size, &answer.card)
                                : ktpr_reader_read(worker->reader, slot->image,
                                                   size, &answer.card);
    answer.message.type = KTPD_ANSWER;
    answer.message.slot = worker->slot;
    answer.message.life = worker->life;

    (void) ktpd_channel_send(slot->worker, &answer, sizeof(answer));
}
