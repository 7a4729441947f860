#include "ngx_http_ktp_check.h"
#include "ngx_http_ktp_answerer_conf.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_upstream_conf.h"
#include <grp.h>
#include <sys/xattr.h>


/* A worker may be in this number of groups; others are not looked at. */
#define NGX_HTTP_KTP_CHECK_GROUPS 256

/* The user of workers. */
typedef struct {
    uid_t uid;
    gid_t groups[NGX_HTTP_KTP_CHECK_GROUPS];
    int   ngroups;
} ngx_http_ktp_check_user_t;

/*
 * The first members of private structures of nginx's modules, the same in all
 * versions.
 */

typedef struct {
    ngx_array_t *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t *rules_un;
#endif
} ngx_http_ktp_check_access_t;

typedef struct {
    ngx_http_complex_value_t *realm;
} ngx_http_ktp_check_auth_basic_t;

typedef struct {
    ngx_str_t uri;
} ngx_http_ktp_check_auth_request_t;

typedef struct {
    ngx_array_t *codes; /* of uintptr_t */
} ngx_http_ktp_check_rewrite_t;


static void       ngx_http_ktp_check_location(ngx_conf_t          *cf,
                                              ngx_http_ktp_pass_t *pass);
static void       ngx_http_ktp_check_handler(ngx_conf_t          *cf,
                                             ngx_http_ktp_pass_t *pass);
static ngx_uint_t ngx_http_ktp_check_closed(ngx_conf_t          *cf,
                                            ngx_http_ktp_pass_t *pass);
static ngx_uint_t ngx_http_ktp_check_unknown(ngx_conf_t *cf);
static void ngx_http_ktp_check_keys(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass);
static void ngx_http_ktp_check_inflight(ngx_conf_t          *cf,
                                        ngx_http_ktp_pass_t *pass);
static void ngx_http_ktp_check_clients(ngx_conf_t *cf);
static ngx_int_t ngx_http_ktp_check_zones(ngx_conf_t          *cf,
                                          ngx_http_ktp_pass_t *pass);
static void     *ngx_http_ktp_check_conf(ngx_conf_t *cf, void **conf,
                                         const char *name);
static ngx_int_t ngx_http_ktp_check_state(ngx_conf_t *cf);
static void      ngx_http_ktp_check_user(ngx_conf_t                *cf,
                                         ngx_http_ktp_check_user_t *user);
static ngx_uint_t
ngx_http_ktp_check_allowed(const char                      *path,
                           const ngx_http_ktp_check_user_t *user, mode_t need);


ngx_int_t
ngx_http_ktp_check(ngx_conf_t *cf)
{
    ngx_uint_t                i, keys, names;
    ngx_http_ktp_main_conf_t *kmcf;
    ngx_http_ktp_pass_t      *pass;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    keys = 0;
    names = 0;

    for (i = 0; kmcf->passes && i < kmcf->passes->nelts; i++) {
        pass = (ngx_http_ktp_pass_t *) kmcf->passes->elts + i;

        if (ngx_http_ktp_check_zones(cf, pass) != NGX_OK
            || ngx_http_ktp_answerer_conf_resolve(cf, pass) != NGX_OK) {
            return NGX_ERROR;
        }

        keys |= pass->klcf->auth == NGX_HTTP_KTP_AUTH_KEY;
        names |= pass->klcf->auth == NGX_HTTP_KTP_AUTH_NAME
                 || pass->klcf->auth == NGX_HTTP_KTP_AUTH_TICKET;

        ngx_http_ktp_check_location(cf, pass);
    }

    if (keys && !names) {
        ngx_http_ktp_check_clients(cf);
    }

    if (kmcf->console && kmcf->status == 0) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ktp_console\" shows nothing, there is no "
                      "\"ktp_status\" in this configuration");
    }

    return ngx_http_ktp_check_state(cf);
}


/* Flights, stored answers and breakers are in shared memory. */

static ngx_int_t
ngx_http_ktp_check_zones(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    if (kmcf->zone == NULL && pass->klcf->breaker.breaker) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ktp_breaker\" in location \"%V\" requires "
                      "\"ktp_zone\", in %s:%ui",
                      &pass->clcf->name, pass->file, pass->line);
        return NGX_ERROR;
    }

    if (kmcf->redis == NULL && pass->klcf->breaker.breaker
        && pass->klcf->breaker.fleet) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"fleet\" of \"ktp_breaker\" in location \"%V\" "
                      "requires \"ktp_redis\", in %s:%ui",
                      &pass->clcf->name, pass->file, pass->line);
        return NGX_ERROR;
    }

    if (kmcf->flights == NULL
        && (pass->klcf->dedupe.on || pass->klcf->idempotency.on)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" in location \"%V\" requires "
                      "\"ktp_answer_zone\", in %s:%ui",
                      pass->klcf->dedupe.on ? "ktp_dedupe" : "ktp_idempotency",
                      &pass->clcf->name, pass->file, pass->line);
        return NGX_ERROR;
    }

    if (pass->klcf->dedupe.fleet
        && (kmcf->redis == NULL || kmcf->fleet_keys[0] == NULL)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ktp_dedupe\" with \"fleet\" in location \"%V\" "
                      "requires \"%s\", in %s:%ui",
                      &pass->clcf->name,
                      kmcf->redis ? "ktp_fleet_key" : "ktp_redis", pass->file,
                      pass->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_ktp_check_location(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    ngx_http_ktp_check_handler(cf, pass);

    if (pass->clcf->handler == kmcf->handler && !pass->klcf->sandbox
        && !pass->clcf->named && !pass->clcf->internal
        && !ngx_http_ktp_check_closed(cf, pass)) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ktp_pass\" in location \"%V\" makes calls for "
                      "anybody, there is no \"ktp_auth\", \"allow\", "
                      "\"deny\", \"auth_basic\" or \"auth_request\", in "
                      "%s:%ui",
                      &pass->clcf->name, pass->file, pass->line);
    }

    if (pass->klcf->auth != NGX_HTTP_KTP_AUTH_OFF
        && kmcf->clients.nelts == 0) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ktp_auth\" in location \"%V\" rejects all requests, "
                      "there is no \"ktp_client\", in %s:%ui",
                      &pass->clcf->name, pass->file, pass->line);
    }

    ngx_http_ktp_check_keys(cf, pass);
    ngx_http_ktp_check_inflight(cf, pass);
}


/* The last directive that sets the content handler of a location wins. */

static void
ngx_http_ktp_check_handler(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    uintptr_t                    *code;
    const char                   *what;
    ngx_http_ktp_main_conf_t     *kmcf;
    ngx_http_ktp_check_rewrite_t *rewrite;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    rewrite = ngx_http_ktp_check_conf(cf, pass->clcf->loc_conf,
                                      "ngx_http_rewrite_module");

    code = rewrite && rewrite->codes ? rewrite->codes->elts : NULL;
    what = NULL;

    if (pass->clcf->handler != kmcf->handler) {
        what = "is overridden by a later directive that handles requests";

    } else if (code && *code == (uintptr_t) ngx_http_script_return_code) {
        what = "is overridden by \"return\"";

    } else if (pass->handler) {
        what = "overrides an earlier directive that handles requests";
    }

    if (what) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ktp_pass\" in location \"%V\" %s, in %s:%ui",
                      &pass->clcf->name, what, pass->file, pass->line);
    }
}


/*
 * 1 if the access to a location is restricted, or may be by means that cannot
 * be seen here; "allow all" counts, since it says that the location is meant
 * to be open.
 */

static ngx_uint_t
ngx_http_ktp_check_closed(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    void                             **conf;
    ngx_str_t                         *realm;
    ngx_http_ktp_check_access_t       *access;
    ngx_http_ktp_check_rewrite_t      *rewrite;
    ngx_http_ktp_check_auth_basic_t   *basic;
    ngx_http_ktp_check_auth_request_t *request;

#if (NGX_HTTP_SSL)
    ngx_http_ssl_srv_conf_t *sscf;

    sscf = ngx_http_ktp_check_conf(cf, pass->srv_conf, "ngx_http_ssl_module");

    if (sscf && sscf->verify == 1) {
        return 1;
    }
#endif

    conf = pass->clcf->loc_conf;

    access = ngx_http_ktp_check_conf(cf, conf, "ngx_http_access_module");
    basic = ngx_http_ktp_check_conf(cf, conf, "ngx_http_auth_basic_module");
    request =
        ngx_http_ktp_check_conf(cf, conf, "ngx_http_auth_request_module");
    rewrite = ngx_http_ktp_check_conf(cf, conf, "ngx_http_rewrite_module");

    if (access
        && (access->rules
#if (NGX_HAVE_INET6)
            || access->rules6
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
            || access->rules_un
#endif
            )) {
        return 1;
    }

    if (basic && basic->realm) {
        realm = &basic->realm->value;

        if (basic->realm->lengths || realm->len != 3
            || ngx_strncmp(realm->data, "off", 3) != 0) {
            return 1;
        }
    }

    return pass->klcf->auth != NGX_HTTP_KTP_AUTH_OFF
           || (request && request->uri.len) || (rewrite && rewrite->codes)
           || ngx_http_ktp_check_unknown(cf);
}


/*
 * 1 if there is a module of others that may restrict access, by the names of
 * its directives.
 */

static ngx_uint_t
ngx_http_ktp_check_unknown(ngx_conf_t *cf)
{
    char          *name;
    ngx_uint_t     i;
    ngx_command_t *cmd;
    ngx_module_t **modules;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {
        if (modules[i]->type != NGX_HTTP_MODULE
            || modules[i] == &ngx_http_ktp_module
            || modules[i] == &ngx_http_core_module
            || ngx_strcmp(modules[i]->name, "ngx_http_auth_basic_module") == 0
            || ngx_strcmp(modules[i]->name, "ngx_http_auth_request_module")
                   == 0) {
            continue;
        }

        for (cmd = modules[i]->commands; cmd && cmd->name.len; cmd++) {
            name = (char *) cmd->name.data;

            if (ngx_strncmp(name, "auth_", 5) == 0
                || ngx_strncmp(name, "access_by_", 10) == 0
                || ngx_strcmp(name, "js_access") == 0
                || ngx_strcmp(name, "perl") == 0
                || ngx_strcmp(name, "modsecurity") == 0) {
                return 1;
            }
        }
    }

    return 0;
}


static void
ngx_http_ktp_check_keys(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = pass->klcf;

    if (klcf->sandbox || ngx_http_ktp_conf_is_local(klcf)
        || (klcf->app_id && klcf->api_key)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"ktp_pass\" in location \"%V\" makes calls to \"%V\" "
                  "without \"%s\", in %s:%ui",
                  &pass->clcf->name, &klcf->target.host,
                  klcf->app_id    ? "ktp_api_key"
                  : klcf->api_key ? "ktp_app_id"
                                  : "ktp_app_id\" and \"ktp_api_key",
                  pass->file, pass->line);
}


/* A call takes a connection of the client and one of the upstream. */

static void
ngx_http_ktp_check_inflight(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    ngx_uint_t connections;

    connections = ngx_http_ktp_upstream_conf_connections(cf);

    if (connections
        && (ngx_uint_t) pass->klcf->max_inflight > connections / 2) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "%ui \"worker_connections\" are less than twice the "
                      "\"ktp_max_inflight\" of %i in location \"%V\", in "
                      "%s:%ui",
                      connections, pass->klcf->max_inflight, &pass->clcf->name,
                      pass->file, pass->line);
    }
}


/* A client without a key is right only where clients are known by a name. */

static void
ngx_http_ktp_check_clients(ngx_conf_t *cf)
{
    ngx_uint_t                i;
    ngx_http_ktp_client_t   **client;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    client = kmcf->clients.elts;

    for (i = 0; i < kmcf->clients.nelts; i++) {
        if (client[i]->nkeys == 0 && !client[i]->disabled) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "client \"%V\" has no \"key_sha256\", all its "
                          "requests are rejected, in %s:%ui",
                          &client[i]->sn.str, client[i]->file,
                          client[i]->line);
        }
    }
}


/* Configuration of a module by its name; NULL: there is no such module. */

static void *
ngx_http_ktp_check_conf(ngx_conf_t *cf, void **conf, const char *name)
{
    ngx_uint_t     i;
    ngx_module_t **modules;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {
        if (modules[i]->type == NGX_HTTP_MODULE
            && ngx_strcmp(modules[i]->name, name) == 0) {
            return conf[modules[i]->ctx_index];
        }
    }

    return NULL;
}


/* Workers write the state file, and replace it in its directory. */

static ngx_int_t
ngx_http_ktp_check_state(ngx_conf_t *cf)
{
    char                      *path, *slash;
    mode_t                     need;
    ngx_str_t                 *state;
    ngx_http_ktp_main_conf_t  *kmcf;
    ngx_http_ktp_check_user_t *user;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    if (kmcf->state == NULL) {
        return NGX_OK;
    }

    state = kmcf->state;

    path = ngx_pnalloc(cf->temp_pool, state->len + 1);
    user = ngx_palloc(cf->temp_pool, sizeof(ngx_http_ktp_check_user_t));

    if (path == NULL || user == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn((u_char *) path, state->data, state->len + 1);
    ngx_http_ktp_check_user(cf, user);

    /* the directory is written to, those above it are passed */

    need = S_IWOTH | S_IXOTH;

    while ((slash = strrchr(path, '/')) != NULL) {
        slash[slash == path] = '\0';

        if (!ngx_http_ktp_check_allowed(path, user, need)) {
            ngx_log_error(NGX_LOG_WARN, cf->log, ngx_errno,
                          "state file \"%V\" cannot be written by workers, "
                          "user %d has no access to directory \"%s\"",
                          state, (int) user->uid, path);
            break;
        }

        if (slash == path) {
            break;
        }

        need = S_IXOTH;
    }

    return NGX_OK;
}


/* "user" may follow the http block; then its default is assumed. */

static void
ngx_http_ktp_check_user(ngx_conf_t *cf, ngx_http_ktp_check_user_t *user)
{
    gid_t            gid;
    char            *name;
    struct passwd   *pwd;
    ngx_core_conf_t *ccf;

    ccf =
        (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);

    user->ngroups = NGX_HTTP_KTP_CHECK_GROUPS;
    user->uid = geteuid();
    gid = getegid();
    name = NULL;

    if (user->uid == 0) {
        if (ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT) {
            user->uid = ccf->user;
            gid = ccf->group;
            name = ccf->username;

        } else {
            pwd = getpwnam(NGX_USER);

            if (pwd) {
                user->uid = pwd->pw_uid;
                gid = pwd->pw_gid;
                name = NGX_USER;
            }
        }
    }

    if (name == NULL) {
        user->ngroups = getgroups(NGX_HTTP_KTP_CHECK_GROUPS - 1, user->groups);
        user->ngroups = ngx_max(user->ngroups, 0);
        user->groups[user->ngroups++] = gid;

    } else if (getgrouplist(name, gid, user->groups, &user->ngroups) == -1) {
        user->ngroups = NGX_HTTP_KTP_CHECK_GROUPS;
    }
}


/*
 * 1 if the user has the permissions on a directory, given as those of others;
 * else 0, with ngx_errno.  Access control lists are not evaluated: they count
 * as permission.
 */

static ngx_uint_t
ngx_http_ktp_check_allowed(const char                      *path,
                           const ngx_http_ktp_check_user_t *user, mode_t need)
{
    int         i;
    struct stat st;

    if (stat(path, &st) == -1) {
        return 0;
    }

    ngx_set_errno(NGX_EACCES);

    if (user->uid == 0
        || getxattr(path, "system.posix_acl_access", NULL, 0) > 0) {
        return 1;
    }

    ngx_set_errno(NGX_EACCES);

    if (st.st_uid == user->uid) {
        return (st.st_mode & (need << 6)) == need << 6;
    }

    for (i = 0; i < user->ngroups; i++) {
        if (st.st_gid == user->groups[i]) {
            return (st.st_mode & (need << 3)) == need << 3;
        }
    }

    return (st.st_mode & need) == need;
}
