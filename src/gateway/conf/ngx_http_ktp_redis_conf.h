/* The directive "ktp_redis": where hosts of a fleet share their state. */

#ifndef NGX_HTTP_KTP_REDIS_CONF_H
#define NGX_HTTP_KTP_REDIS_CONF_H

#include "ngx_http_ktp_conf.h"


/* Maximum length of a name in keys: "prefix" and "host". */
#define NGX_HTTP_KTP_REDIS_NAME 64

/* Parameters of ktp_redis. */
struct ngx_http_ktp_redis_s {
    ngx_str_t   name;   /* the address as configured, for messages */
    ngx_addr_t *addrs;  /* of the name, resolved at start */
    ngx_uint_t  naddrs; /* at least 1 */

    ngx_str_t              user;     /* empty: the default user */
    ngx_http_ktp_secret_t *password; /* NULL: none */
    ngx_uint_t             database;
    ngx_str_t              prefix; /* of keys */
    ngx_str_t              host;   /* name of this host in the fleet */
    ngx_uint_t             tls;
    ngx_str_t              tls_ca;   /* file; empty: those of the system */
    ngx_str_t              tls_name; /* null-terminated */
    ngx_str_t              tls_host; /* of the address, if it is a name */
    void                  *ssl;      /* ngx_ssl_t of nginx; NULL: no TLS */
    ngx_msec_t             timeout;  /* of connecting and of each command */
};


/*
 * ktp_redis ADDRESS [user=NAME] [password=file:PATH] [database=NUMBER]
 * [prefix=TEXT] [host=NAME] [timeout=TIME] [tls] [tls_ca=FILE]
 * [tls_name=NAME]; fills kmcf->redis.
 */
char *ngx_http_ktp_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ktp_fleet_key file:PATH [file:PATH]; fills kmcf->fleet_keys. */
char *ngx_http_ktp_redis_conf_key(ngx_conf_t *cf, ngx_command_t *cmd,
                                  void *conf);


#endif /* NGX_HTTP_KTP_REDIS_CONF_H */
