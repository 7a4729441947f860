/*
 * Setters of simple directives, and messages about invalid values.  They are
 * those of nginx, except that each message has the name of the directive and
 * what is allowed.
 */

#ifndef NGX_HTTP_KTP_VALUE_H
#define NGX_HTTP_KTP_VALUE_H

#include "ngx_http_ktp.h"


/* The "post" of a directive. */
typedef struct {
    const char            *must; /* what is allowed; follows "it must be" */
    ngx_int_t              min;  /* of numbers, sizes, and milliseconds */
    ngx_int_t              max;
    const ngx_conf_enum_t *names; /* of enumerations, and bits of sets */
} ngx_http_ktp_value_t;


/* Setters for a size_t, ngx_msec_t, ngx_int_t, and ngx_uint_t. */
char *ngx_http_ktp_value_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ktp_value_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ktp_value_num(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ktp_value_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Setter for an ngx_uint_t of bits, 0 if not set. */
char *ngx_http_ktp_value_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Logs that a value of the current directive, also of one in a client block,
 * is invalid: "WHAT "VALUE" in "DIRECTIVE" directive, it must be MUST".
 * Returns NGX_CONF_ERROR.
 */
char *ngx_http_ktp_value_invalid(ngx_conf_t *cf, const char *what,
                                 ngx_str_t *value, const char *must);

/*
 * Parses a parameter "NAMETIME", such as "ttl=10m", where the name has its
 * "=", from 1 to max milliseconds.  NGX_DECLINED: it is another, or invalid.
 */
ngx_int_t ngx_http_ktp_value_time(ngx_str_t *value, const char *name,
                                  ngx_msec_t max, ngx_msec_t *time);

/*
 * Parses "NAME:SIZE" of the current directive, whose size must be at least
 * that many pages; form is what the parameter must be.
 */
char *ngx_http_ktp_value_zone(ngx_conf_t *cf, const char *form,
                              ngx_uint_t pages, ngx_str_t *name,
                              ssize_t *size);

/*
 * Logs that a file of a directive cannot be used; failed is a format string
 * for its path.  Returns NGX_CONF_ERROR.
 */
char *ngx_http_ktp_value_file(ngx_conf_t *cf, ngx_err_t err,
                              const char *directive, const char *failed,
                              ngx_str_t *path);


#endif /* NGX_HTTP_KTP_VALUE_H */
