# Bad values of every directive: what nginx says of each, in its own words.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use Test::Nginx::Socket 'no_plan';

my $pass = 'ktp_pass http://127.0.0.1:1/x;';
my $dir = $ENV{TEST_NGINX_DIR};

# [where, directives, what nginx says]
my @rows = (
    ['http', $pass, '"ktp_pass" directive is not allowed here'],
    ['server', $pass, '"ktp_pass" directive is not allowed here'],
    ['location', 'ktp_pass;',
     'invalid number of arguments in "ktp_pass" directive'],
    ['location', "$pass $pass", '"ktp_pass" directive is duplicate'],
    ['location', 'ktp_pass ftp://a/x;', 'invalid URL prefix in "ftp://a/x"'],
    ['location', 'ktp_pass 127.0.0.1:80/x;',
     'invalid URL prefix in "127.0.0.1:80/x"'],
    ['location', 'ktp_pass http:///x;', 'no host in URL "http:///x"'],
    ['location', 'ktp_pass http://a:99999/x;',
     'invalid port in URL "http://a:99999/x"'],
    ['location', 'ktp_pass http://a;', 'invalid URI in URL "http://a"'],
    ['location', 'ktp_pass http://a/x#y;',
     'invalid URI in URL "http://a/x#y"'],
    ['location', 'ktp_pass http://u@a/x;',
     'credentials are not allowed in URL "http://u@a/x"'],
    ['location', 'ktp_pass http://u:p@a/x;',
     'invalid port in URL "http://u:p@a/x"'],
    ['location', 'ktp_pass unix:/run/a.sock;',
     'no URI in URL "unix:/run/a.sock"'],
    ['location', 'ktp_pass unix:a.sock:/x;',
     'invalid path of the unix domain socket in URL "unix:a.sock:/x"'],
    ['location', 'ktp_pass unix:/run/' . 'a' x 120 . ':/x;',
     'invalid path of the unix domain socket in URL'],
    ['location', 'ktp_pass unix:/run/a.sock:x;',
     'invalid URI in URL "unix:/run/a.sock:x"'],

    ['server', 'ktp_redis 127.0.0.1;',
     '"ktp_redis" directive is not allowed here'],
    ['http', 'ktp_redis 127.0.0.1;', '"ktp_redis" requires "ktp_zone"'],
    ['http', 'ktp_redis unix:/a; ktp_redis unix:/b;',
     '"ktp_redis" directive is duplicate'],
    ['http', 'ktp_redis unix:;', 'no path in the unix domain socket in '
     . '"unix:" in "ktp_redis" directive, it must be HOST[:PORT] or unix:PATH'],
    ['http', 'ktp_redis unix:/a tls_name=b;',
     '"ktp_redis" directive has "tls_ca" or "tls_name" without "tls"'],
    ['http', 'ktp_redis unix:/a tls;',
     '"ktp_redis" directive has "tls" without "tls_name", and an address '
     . 'without a name'],
    ['http', 'ktp_redis 127.0.0.1 tls;',
     '"ktp_redis" directive has "tls" without "tls_name", and an address '
     . 'without a name'],
    ['http', "ktp_redis 127.0.0.1 tls tls_name=a tls_ca=$dir/none;",
     "SSL_CTX_load_verify_locations(\"$dir/none\") failed"],
    ['http', 'ktp_redis unix:/a user=b;',
     '"ktp_redis" directive has "user" without "password"'],
    ['http', 'ktp_redis unix:/a database=65536;',
     'invalid parameter "database=65536" in "ktp_redis" directive, it must be '
     . '"user=NAME", "password=file:PATH", "database=NUMBER" from 0 to 65535'],
    ['http', 'ktp_redis unix:/a password=s3cret;',
     'invalid "password" parameter in "ktp_redis" directive, it must be '
     . '"password=file:PATH", at most once'],
    ['http', "ktp_redis unix:/a password=file:$dir/none;",
     "\"ktp_redis\" directive: open() \"$dir/none\" failed "
     . '(2: No such file or directory)'],

    (map {
        ['http', "$_ '';", "\"$_\" directive value is empty or contains "
                           . 'control characters'],
        ['server', "$_ \"a\nb\";", "\"$_\" directive value is empty or "
                                   . 'contains control characters'],
        ['http', "$_ a; $_ b;", "\"$_\" directive is duplicate"],
        ['http', "$_ a b;",
         "invalid number of arguments in \"$_\" directive"],
        ['location', "$_ \$no_such_variable;",
         'unknown "no_such_variable" variable'],
        ['server', "$_ file:;", 'no path in "file:"'],
        ['server', "$_ file:$dir/none;",
         "open() \"$dir/none\" failed (2: No such file or directory)"],
        ['server', "$_ file:$dir/empty;",
         "first line of \"$dir/empty\" is empty, too long, or contains "
         . 'control characters'],
        ['server', "$_ file:$dir/long;",
         "first line of \"$dir/long\" is empty, too long, or contains "
         . 'control characters'],
    } qw(ktp_app_id ktp_api_key)),

    ['http', 'ktp_max_image_size 5x;',
     'invalid value "5x" in "ktp_max_image_size" directive, it must be a '
     . 'size from 1k to 64m'],
    ['http', 'ktp_max_image_size 1m; ktp_max_image_size 1m;',
     '"ktp_max_image_size" directive is duplicate'],
    ['http', 'ktp_max_image_size 1023;',
     'invalid value "1023" in "ktp_max_image_size" directive, it must be a '
     . 'size from 1k to 64m'],
    ['http', 'ktp_max_image_size 65m;',
     'invalid value "65m" in "ktp_max_image_size" directive, it must be a '
     . 'size from 1k to 64m'],

    (map {
        ['http', "ktp_min_dimensions $_;", "invalid dimensions \"$_\""]
    } qw(720 720x 720X480 x480 0x480 720x0 -1x5 70000x480 720x480x1 axb)),
    ['http', 'ktp_min_dimensions 1x1; ktp_min_dimensions 1x1;',
     '"ktp_min_dimensions" directive is duplicate'],

    ['http', 'ktp_max_pixels many;',
     'invalid value "many" in "ktp_max_pixels" directive, it must be a '
     . 'number of pixels'],
    ['http', 'ktp_max_pixels 0;',
     'invalid value "0" in "ktp_max_pixels" directive, it must be a '
     . 'number of pixels'],
    ['http', 'ktp_max_pixels 1; ktp_max_pixels 1;',
     '"ktp_max_pixels" directive is duplicate'],

    ['http', 'ktp_image_types gif;', 'invalid value "gif"'],
    ['http', 'ktp_image_types;',
     'invalid number of arguments in "ktp_image_types" directive'],

    ['http', 'ktp_validate_quality maybe;', 'invalid value "maybe"'],
    ['http', 'ktp_validate_quality on; ktp_validate_quality on;',
     '"ktp_validate_quality" directive is duplicate'],

    (map {
        ['http', "$_ soon;", "invalid value \"soon\" in \"$_\" directive, "
                             . 'it must be a time'],
        ['http', "$_ 0;", "invalid value \"0\" in \"$_\" directive, it must "
                          . 'be a time'],
        ['http', "$_ 1s; $_ 1s;", "\"$_\" directive is duplicate"],
        ['http', "$_ 1s 2s;",
         "invalid number of arguments in \"$_\" directive"],
    } qw(ktp_connect_timeout ktp_read_timeout ktp_timeout ktp_body_timeout)),

    ['http', 'ktp_json_errors maybe;',
     'invalid value "maybe" in "ktp_json_errors" directive, it must be "on" '
     . 'or "off"'],
    ['http', 'ktp_json_errors on; ktp_json_errors on;',
     '"ktp_json_errors" directive is duplicate'],
);

KTP::Nginx::write_file("$dir/empty", "\nsecond line\n");
KTP::Nginx::write_file("$dir/long", 'a' x 5000);

my $n = 0;

spec_string(join '', (map {
    my ($where, $text, $message) = @$_;
    my $http = $where eq 'http' ? "--- http_config\n$text\n" : '';
    my $config = $where eq 'server'   ? $text
               : $where eq 'location' ? "location /x { $text }"
               :                        'root html;';

    $n++;
    <<EOS;
=== TEST $n: $text
$http--- config
$config
--- must_die
--- error_log
[emerg]
$message
--- no_error_log
[alert]

EOS
} @rows), <<'EOS');
=== a limit of the body that is less than the image's
--- config
location = /x { ktp_pass http://127.0.0.1:1/x; client_max_body_size 2m; }
location = /y { ktp_pass http://127.0.0.1:1/x; client_max_body_size 1m;
                ktp_max_image_size 100k; }
--- request
GET /x
--- error_code: 405
--- grep_error_log eval
qr/\[warn\].*?: "client_max_body_size" of \d+ bytes in location "[^"]+"/
--- grep_error_log_out eval
qr{^\[warn\] \S+ "client_max_body_size" of 2097152 bytes in location "/x"\n$}
EOS

run_tests();
