/* ktp-extractd: serves the contract, by reading the cards itself. */

#include "ktpd_credentials.h"
#include "ktpd_listen.h"
#include "ktpd_log.h"
#include "ktpd_master.h"
#include "ktpd_options.h"
#include "ktpr_reader.h"
#include "ktpd_sandbox.h"
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


static int ktpd_check(const ktpd_options_t *opt, ktpd_credentials_t *cred);
static int ktpd_become(const char *user, const ktpd_listen_t *ls);
static int ktpd_serve(const ktpd_options_t *opt, ktpd_credentials_t *cred);


int
main(int argc, char *argv[])
{
    int                 rc;
    ktpd_options_t      opt;
    ktpd_credentials_t *cred;

    rc = ktpd_options_parse(&opt, argc, argv);

    if (rc != 0) {
        return rc == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    }

    /* before the first secret is in memory */

    if (ktpd_sandbox_early() != 0) {
        return EXIT_FAILURE;
    }

    cred = ktpd_credentials_load(opt.credentials);

    if (cred == NULL) {
        return EXIT_FAILURE;
    }

    return opt.check ? ktpd_check(&opt, cred) : ktpd_serve(&opt, cred);
}


static int
ktpd_check(const ktpd_options_t *opt, ktpd_credentials_t *cred)
{
    ktpr_reader_t *reader;

    ktpd_credentials_free(cred);

    if (ktpd_listen_check(opt->socket, opt->listen) != 0
        || ktpd_become(opt->user, NULL) != 0) {
        return EXIT_FAILURE;
    }

    reader = ktpr_reader_create(opt->tessdata, time(NULL));

    if (reader == NULL || ktpr_reader_load(reader) != 0) {
        ktpd_log("the language data cannot be loaded");
        ktpr_reader_destroy(reader);
        return EXIT_FAILURE;
    }

    ktpr_reader_destroy(reader);
    ktpd_log("options, credentials and language data are usable");

    return EXIT_SUCCESS;
}


/* root's way to be another user, who is then to own the socket */

static int
ktpd_become(const char *user, const ktpd_listen_t *ls)
{
    struct passwd *pw;

    if (user == NULL) {
        return 0;
    }

    pw = getpwnam(user);

    if (pw == NULL) {
        ktpd_log("no user \"%s\"", user);
        return -1;
    }

    if (ls != NULL && ktpd_listen_give(ls, pw->pw_uid, pw->pw_gid) != 0) {
        return -1;
    }

    return ktpd_sandbox_user(pw);
}


static int
ktpd_serve(const ktpd_options_t *opt, ktpd_credentials_t *cred)
{
    int           rc;
    ktpd_listen_t ls;

    rc = opt->socket != NULL ? ktpd_listen_unix(&ls, opt->socket, opt->mode)
                             : ktpd_listen_tcp(&ls, opt->listen);

    if (rc != 0) {
        ktpd_credentials_free(cred);
        return EXIT_FAILURE;
    }

    if (ktpd_become(opt->user, &ls) != 0) {
        ktpd_listen_close(&ls);
        ktpd_credentials_free(cred);
        return EXIT_FAILURE;
    }

    return ktpd_master_run(opt, &ls, cred);
}
