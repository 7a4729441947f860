#include "ngx_http_ktp.h"
#include "ktp_limits.h"
#include "ngx_http_ktp_access.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_answerer_conf.h"
#include "ngx_http_ktp_billing.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_breaker_conf.h"
#include "ngx_http_ktp_check.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_console.h"
#include "ngx_http_ktp_cors.h"
#include "ngx_http_ktp_cors_conf.h"
#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_fleet.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_flights_worker.h"
#include "ngx_http_ktp_flights_zone.h"
#include "ngx_http_ktp_forget.h"
#include "ngx_http_ktp_health.h"
#include "ngx_http_ktp_log.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_once.h"
#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_redis_conf.h"
#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_secret.h"
#include "ngx_http_ktp_state.h"
#include "ngx_http_ktp_status.h"
#include "ngx_http_ktp_upload_ticket.h"
#include "ngx_http_ktp_upstream_conf.h"
#include "ngx_http_ktp_value.h"
#include "ngx_http_ktp_variables.h"
#include "ngx_http_ktp_vault.h"
#include "ngx_http_ktp_zone.h"


static void     *ngx_http_ktp_create_main_conf(ngx_conf_t *cf);
static void     *ngx_http_ktp_create_loc_conf(ngx_conf_t *cf);
static char     *ngx_http_ktp_merge_loc_conf(ngx_conf_t *cf, void *parent,
                                             void *child);
static ngx_int_t ngx_http_ktp_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_ktp_init_process(ngx_cycle_t *cycle);
static void      ngx_http_ktp_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t ngx_http_ktp_quality_names[] = {
    {ngx_string("client"), KTP_FLAG_ABSENT},
    {ngx_string("on"), KTP_FLAG_TRUE},
    {ngx_string("off"), KTP_FLAG_FALSE},
    {ngx_null_string, 0}};

static ngx_conf_enum_t ngx_http_ktp_reference_id_names[] = {
    {ngx_string("pass"), NGX_HTTP_KTP_REFERENCE_PASS},
    {ngx_string("generate"), NGX_HTTP_KTP_REFERENCE_GENERATE},
    {ngx_string("derive"), NGX_HTTP_KTP_REFERENCE_DERIVE},
    {ngx_null_string, 0}};

static ngx_conf_enum_t ngx_http_ktp_image_url_names[] = {
    {ngx_string("off"), 0}, {ngx_string("fetch"), 1}, {ngx_null_string, 0}};

static ngx_conf_enum_t ngx_http_ktp_image_types_names[] = {
    {ngx_string("jpeg"), KTP_IMAGE_JPEG},
    {ngx_string("png"), KTP_IMAGE_PNG},
    {ngx_null_string, 0}};

static ngx_http_ktp_value_t ngx_http_ktp_image_size = {
    "a size from 1k to 64m", 1024, NGX_HTTP_KTP_MAX_IMAGE_SIZE, NULL};

static ngx_http_ktp_value_t ngx_http_ktp_pixels = {
    "a number of pixels, such as \"50m\", of at least 1", 1,
    NGX_MAX_INT_T_VALUE, NULL};

static ngx_http_ktp_value_t ngx_http_ktp_time = {
    "a time, such as \"500ms\" or \"5s\", of at least 1ms", 1,
    NGX_MAX_INT_T_VALUE, NULL};

static ngx_http_ktp_value_t ngx_http_ktp_count_value = {
    "a number of at least 1", 1, NGX_MAX_INT_T_VALUE, NULL};

static ngx_http_ktp_value_t ngx_http_ktp_keepalive = {
    "a number from 0 to 65535", 0, 65535, NULL};

/* each retry sends the whole image again */
static ngx_http_ktp_value_t ngx_http_ktp_retries = {"a number from 0 to 5", 0,
                                                    5, NULL};

static ngx_http_ktp_value_t ngx_http_ktp_validate_quality = {
    "\"client\", \"on\", or \"off\"", 0, 0, ngx_http_ktp_quality_names};

static ngx_http_ktp_value_t ngx_http_ktp_reference_id = {
    "\"pass\", \"generate\", or \"derive\"", 0, 0,
    ngx_http_ktp_reference_id_names};

static ngx_http_ktp_value_t ngx_http_ktp_image_url = {
    "\"off\" or \"fetch\"", 0, 0, ngx_http_ktp_image_url_names};

static ngx_http_ktp_value_t ngx_http_ktp_image_types = {
    "\"jpeg\", \"png\", or both, separated by a space", 0, 0,
    ngx_http_ktp_image_types_names};

// clang-format off

static ngx_command_t  ngx_http_ktp_commands[] = {

    { ngx_string("ktp_pass"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_conf_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_host"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_upstream_conf_host,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, host),
      NULL },

    { ngx_string("ktp_app_id"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_secret_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, app_id),
      NULL },

    { ngx_string("ktp_api_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_secret_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, api_key),
      NULL },

    { ngx_string("ktp_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_ktp_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_redis_conf,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_fleet_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_ktp_redis_conf_key,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_answer_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_flights_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_dedupe"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_once_dedupe,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_idempotency"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_ktp_once_idempotency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_forget"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_ktp_forget,
      0,
      0,
      NULL },

    { ngx_string("ktp_client"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_ktp_client_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_conf_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_ticket"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_ktp_upload_ticket,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_max_image_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, max_image_size),
      &ngx_http_ktp_image_size },

    { ngx_string("ktp_min_dimensions"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_conf_min_dimensions,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_max_pixels"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, max_pixels),
      &ngx_http_ktp_pixels },

    { ngx_string("ktp_image_types"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_ktp_value_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, image_types),
      &ngx_http_ktp_image_types },

    { ngx_string("ktp_strip_metadata"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, strip_metadata),
      NULL },

    { ngx_string("ktp_image_url"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, image_url),
      &ngx_http_ktp_image_url },

    { ngx_string("ktp_image_url_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_conf_image_url_allow,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_image_url_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, image_url_timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_validate_quality"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, validate_quality),
      &ngx_http_ktp_validate_quality },

    { ngx_string("ktp_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, connect_timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_read_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, read_timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_keepalive"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_num,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, keepalive),
      &ngx_http_ktp_keepalive },

    { ngx_string("ktp_keepalive_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, keepalive_timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_max_inflight"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_num,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, max_inflight),
      &ngx_http_ktp_count_value },

    { ngx_string("ktp_retries"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_ktp_upstream_conf_retries,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, retries),
      &ngx_http_ktp_retries },

    { ngx_string("ktp_precheck"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_answerer_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, answerer[NGX_HTTP_KTP_PRECHECK]),
      NULL },

    { ngx_string("ktp_first"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_answerer_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, answerer[NGX_HTTP_KTP_FIRST]),
      NULL },

    { ngx_string("ktp_fallback"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_answerer_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, answerer[NGX_HTTP_KTP_FALLBACK]),
      NULL },

    { ngx_string("ktp_shadow"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_answerer_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, answerer[NGX_HTTP_KTP_SHADOW]),
      NULL },

    { ngx_string("ktp_breaker"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_TAKE1234|NGX_CONF_TAKE5,
      ngx_http_ktp_breaker_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_body_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, body_timeout),
      &ngx_http_ktp_time },

    { ngx_string("ktp_request_buffering"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, request_buffering),
      NULL },

    { ngx_string("ktp_ignore_client_abort"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ignore_client_abort),
      NULL },

    { ngx_string("ktp_egress_proxy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_upstream_conf_egress_proxy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_user_agent"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_upstream_conf_user_agent,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_ssl_verify"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ssl_verify),
      NULL },

    { ngx_string("ktp_ssl_name"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_upstream_conf_host,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ssl_name),
      NULL },

    { ngx_string("ktp_ssl_trusted_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ssl_trusted_certificate),
      NULL },

    { ngx_string("ktp_ssl_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ssl_certificate),
      NULL },

    { ngx_string("ktp_ssl_certificate_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, ssl_certificate_key),
      NULL },

    { ngx_string("ktp_json_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, json_errors),
      NULL },

    { ngx_string("ktp_cors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_cors_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_ktp_status,
      0,
      0,
      NULL },

    { ngx_string("ktp_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_ktp_health,
      0,
      0,
      NULL },

    { ngx_string("ktp_console"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_ktp_console,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_policy_set_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_mask"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_policy_set_mask,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_nik_check"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, nik_check),
      NULL },

    { ngx_string("ktp_log_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_secret_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, log_key),
      NULL },

    { ngx_string("ktp_pass_trace"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, pass_trace),
      NULL },

    { ngx_string("ktp_billed_codes"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ktp_billing_codes,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_price"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_ktp_billing_price,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ktp_reference_id"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ktp_value_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, reference_id),
      &ngx_http_ktp_reference_id },

    { ngx_string("ktp_sandbox"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ktp_loc_conf_t, sandbox),
      NULL },

      ngx_null_command
};

// clang-format on

static ngx_http_module_t ngx_http_ktp_module_ctx = {
    ngx_http_ktp_variables_add, /* preconfiguration */
    ngx_http_ktp_init,          /* postconfiguration */

    ngx_http_ktp_create_main_conf, /* create main configuration */
    NULL,                          /* init main configuration */

    NULL, /* create server configuration */
    NULL, /* merge server configuration */

    ngx_http_ktp_create_loc_conf, /* create location configuration */
    ngx_http_ktp_merge_loc_conf   /* merge location configuration */
};


ngx_module_t ngx_http_ktp_module = {
    NGX_MODULE_V1,
    &ngx_http_ktp_module_ctx,       /* module context */
    ngx_http_ktp_commands,          /* module directives */
    NGX_HTTP_MODULE,                /* module type */
    NULL,                           /* init master */
    ngx_http_ktp_fleet_init_module, /* init module */
    ngx_http_ktp_init_process,      /* init process */
    NULL,                           /* init thread */
    NULL,                           /* exit thread */
    ngx_http_ktp_exit_process,      /* exit process */
    ngx_http_ktp_state_exit_master, /* exit master */
    NGX_MODULE_V1_PADDING};


static void *
ngx_http_ktp_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_main_conf_t));
    if (kmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&kmcf->clients, cf->pool, 16,
                       sizeof(ngx_http_ktp_client_t *))
            != NGX_OK
        || ngx_array_init(&kmcf->currencies, cf->pool, 1,
                          sizeof(ngx_http_ktp_currency_t *))
               != NGX_OK
        || ngx_array_init(&kmcf->breakers, cf->pool, 1,
                          sizeof(ngx_http_ktp_breaker_t *))
               != NGX_OK) {
        return NULL;
    }

    ngx_rbtree_init(&kmcf->client_names, &kmcf->client_sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&kmcf->secrets);
    kmcf->handler = ngx_http_ktp_request_handler;

    return kmcf;
}


static void *
ngx_http_ktp_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_ktp_loc_conf_t *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->upstream = NULL;
     *     conf->policy = { 0 };
     *     conf->image_types = 0;
     *     conf->auth_name = NULL;
     *     conf->fields = 0;
     *     conf->answer_policy = { 0 };
     *     conf->breaker.breaker = NULL;
     *     conf->console = NULL;
     *     conf->ticket_ttl = 0;
     *     conf->ticket_uses = 0;
     */

    conf->app_id = NGX_CONF_UNSET_PTR;
    conf->api_key = NGX_CONF_UNSET_PTR;
    conf->max_image_size = NGX_CONF_UNSET_SIZE;
    conf->min_width = NGX_CONF_UNSET_UINT;
    conf->min_height = NGX_CONF_UNSET_UINT;
    conf->max_pixels = NGX_CONF_UNSET_SIZE;
    conf->validate_quality = NGX_CONF_UNSET_UINT;
    conf->strip_metadata = NGX_CONF_UNSET;
    conf->json_errors = NGX_CONF_UNSET;
    conf->auth = NGX_CONF_UNSET_UINT;
    conf->masks = NGX_CONF_UNSET_PTR;
    conf->nik_check = NGX_CONF_UNSET;
    conf->log_key = NGX_CONF_UNSET_PTR;
    conf->pass_trace = NGX_CONF_UNSET;
    conf->billed_codes = NGX_CONF_UNSET_PTR;
    conf->price = NGX_CONF_UNSET_PTR;
    conf->dedupe.on = NGX_CONF_UNSET_UINT;
    conf->idempotency.on = NGX_CONF_UNSET_UINT;
    conf->reference_id = NGX_CONF_UNSET_UINT;
    conf->sandbox = NGX_CONF_UNSET;
    ngx_http_ktp_answerer_conf_create(conf);
    conf->cors = NGX_CONF_UNSET_PTR;
    conf->breaker.failures = NGX_CONF_UNSET_UINT;
    conf->breaker.window = NGX_CONF_UNSET_MSEC;
    conf->breaker.open = NGX_CONF_UNSET_MSEC;
    conf->breaker.max = NGX_CONF_UNSET_MSEC;

    ngx_http_ktp_upstream_conf_create(conf);

    return conf;
}


static char *
ngx_http_ktp_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ktp_loc_conf_t *prev = parent;
    ngx_http_ktp_loc_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->app_id, prev->app_id, NULL);
    ngx_conf_merge_ptr_value(conf->api_key, prev->api_key, NULL);
    ngx_conf_merge_size_value(conf->max_image_size, prev->max_image_size,
                              5 * 1024 * 1024);
    ngx_conf_merge_uint_value(conf->min_width, prev->min_width, 720);
    ngx_conf_merge_uint_value(conf->min_height, prev->min_height, 480);
    ngx_conf_merge_size_value(conf->max_pixels, prev->max_pixels,
                              KTP_MAX_PIXELS);
    ngx_conf_merge_bitmask_value(
        conf->image_types, prev->image_types,
        (NGX_CONF_BITMASK_SET | KTP_IMAGE_JPEG | KTP_IMAGE_PNG));
    ngx_conf_merge_uint_value(conf->validate_quality, prev->validate_quality,
                              KTP_FLAG_ABSENT);
    ngx_conf_merge_value(conf->strip_metadata, prev->strip_metadata, 0);
    ngx_conf_merge_value(conf->json_errors, prev->json_errors, 1);
    ngx_conf_merge_ptr_value(conf->masks, prev->masks, NULL);
    ngx_conf_merge_value(conf->nik_check, prev->nik_check, 0);
    ngx_conf_merge_ptr_value(conf->log_key, prev->log_key, NULL);
    ngx_conf_merge_value(conf->pass_trace, prev->pass_trace, 0);
    ngx_conf_merge_ptr_value(conf->billed_codes, prev->billed_codes, NULL);
    ngx_conf_merge_ptr_value(conf->price, prev->price, NULL);
    ngx_http_ktp_once_merge(prev, conf);
    ngx_http_ktp_answerer_conf_merge(prev, conf);
    ngx_http_ktp_breaker_conf_merge(prev, conf);
    ngx_conf_merge_uint_value(conf->reference_id, prev->reference_id,
                              NGX_HTTP_KTP_REFERENCE_PASS);
    ngx_conf_merge_value(conf->sandbox, prev->sandbox, 0);
    ngx_conf_merge_ptr_value(conf->cors, prev->cors, NULL);

    if (conf->fields == 0) {
        conf->fields = prev->fields ? prev->fields : KTP_FIELDS_ALL;
    }

    if (conf->auth == NGX_CONF_UNSET_UINT) {
        conf->auth_name = prev->auth_name;
    }

    /* the content handler of a location is run within its "if" blocks, too */

    if (conf->console == NULL) {
        conf->console = prev->console;
    }

    ngx_conf_merge_uint_value(conf->auth, prev->auth, NGX_HTTP_KTP_AUTH_OFF);

    if (ngx_http_ktp_upload_ticket_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ktp_upstream_conf_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ktp_conf_finish(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ktp_policy_finish(cf, conf);
}


static ngx_int_t
ngx_http_ktp_init(ngx_conf_t *cf)
{
    static ngx_str_t image_hmac = ngx_string("ktp_image_hmac");

    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    if (kmcf->locations && ngx_http_ktp_answer_init_filters(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kmcf->auth && ngx_http_ktp_access_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kmcf->cors && ngx_http_ktp_cors_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kmcf->status && kmcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_status\" requires \"ktp_zone\"");
        return NGX_ERROR;
    }

    if (kmcf->health && kmcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_health\" requires \"ktp_zone\"");
        return NGX_ERROR;
    }

    if (kmcf->redis && kmcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_redis\" requires \"ktp_zone\"");
        return NGX_ERROR;
    }

    /* connections and timers use the configuration that would be freed */

    if (ngx_http_ktp_fleet_running()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a configuration with \"ktp_redis\" cannot be "
                           "replaced by reload with \"master_process off\"");
        return NGX_ERROR;
    }

    if (kmcf->forget && kmcf->flights == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_forget\" requires \"ktp_answer_zone\"");
        return NGX_ERROR;
    }

    if (kmcf->tickets && kmcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_ticket\" requires \"ktp_zone\"");
        return NGX_ERROR;
    }

    if (kmcf->ticket_auth && kmcf->tickets == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_auth ticket\" requires \"ktp_ticket\"");
        return NGX_ERROR;
    }

    /* without a master process, the zone in use would be unmapped */

    if (kmcf->zone == NULL && ngx_http_ktp_metrics_counting()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_zone\" cannot be removed by reload with "
                           "\"master_process off\"");
        return NGX_ERROR;
    }

    if (kmcf->zone
        && (ngx_http_ktp_metrics_init() != NGX_OK
            || ngx_http_ktp_log_init(cf) != NGX_OK)) {
        return NGX_ERROR;
    }

    kmcf->image_hmac = ngx_http_ktp_variables_used(cf, &image_hmac);

    if (ngx_http_ktp_client_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_check(cf);
}


static ngx_int_t
ngx_http_ktp_init_process(ngx_cycle_t *cycle)
{
    if (ngx_http_ktp_body_init(cycle) != NGX_OK
        || ngx_http_ktp_secret_init(cycle) != NGX_OK
        || ngx_http_ktp_state_init(cycle) != NGX_OK
        || ngx_http_ktp_digest_init_process(cycle) != NGX_OK
        || ngx_http_ktp_vault_init(cycle) != NGX_OK
        || ngx_http_ktp_flight_init(cycle) != NGX_OK
        || ngx_http_ktp_fleet_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_ktp_count_init(cycle);
    ngx_http_ktp_metrics_init_process(cycle);

    return ngx_http_ktp_transport_init(cycle);
}


static void
ngx_http_ktp_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_ktp_transport_exit(cycle);
    ngx_http_ktp_flights_worker_exit();
    ngx_http_ktp_vault_exit();
    ngx_http_ktp_state_exit(cycle);
    ngx_http_ktp_digest_exit();
    ngx_http_ktp_metrics_exit();
    ngx_http_ktp_fleet_exit();
}
