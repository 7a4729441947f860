#include "ktpd_channel.h"
#include "ktp_utf8.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>


static void   ktpd_answer_text(char *text);
static double ktpd_answer_score(double score);


int
ktpd_channel_pair(int fd[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd);
}


int
ktpd_channel_send(int fd, const void *message, size_t len)
{
    ssize_t n;

    do {
        n = send(fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n == -1 && errno == EINTR);

    return n == -1 ? -1 : 0;
}


ptrdiff_t
ktpd_channel_receive(int fd, void *message, size_t len, int wait)
{
    ssize_t n;

    do {
        n = recv(fd, message, len, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
    } while (n == -1 && errno == EINTR);

    if (n > 0 && (size_t) n > len) {
        errno = EMSGSIZE;
        return -1;
    }

    return n;
}


int
ktpd_channel_check(ktpd_answer_t *answer, size_t len)
{
    int             i;
    ktpr_field_t   *field;
    ktpr_quality_t *quality;

    if (len != sizeof(ktpd_answer_t) || answer->message.type != KTPD_ANSWER
        || answer->result > KTPR_FAILED) {
        return -1;
    }

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        field = &answer->card.fields[i];
        ktpd_answer_text(field->value);
        ktpd_answer_text(field->raw);
        field->confidence =
            (float) ktpd_answer_score((double) field->confidence);
        field->score = (float) ktpd_answer_score((double) field->score);
    }

    quality = &answer->card.quality;
    quality->blur_score = ktpd_answer_score(quality->blur_score);
    quality->dark_score = ktpd_answer_score(quality->dark_score);
    quality->flashlight_score = ktpd_answer_score(quality->flashlight_score);
    quality->grayscale_score = ktpd_answer_score(quality->grayscale_score);

    answer->card.confidence = ktpd_answer_score(answer->card.confidence);

    return 0;
}


/* a text ends within its bounds, and is one; or it is empty */

static void
ktpd_answer_text(char *text)
{
    text[KTPR_MAX_VALUE - 1] = '\0';

    if (!ktp_utf8_valid((const unsigned char *) text, strlen(text))) {
        text[0] = '\0';
    }
}


/* JSON has no infinity */

static double
ktpd_answer_score(double score)
{
    return isfinite(score) ? fmin(fmax(score, 0), 1) : 0;
}
