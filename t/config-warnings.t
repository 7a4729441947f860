# Settings that are valid, but hardly meant: "nginx -t" warns of each, with
# the directive and the location, also at the default level of error_log; and
# says nothing of what is right.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $file = "$prefix/conf/nginx.conf";
my $key = 'key_sha256 ' . 'a1' x 32 . ';';
my $far = 'ktp_pass https://api.example.com/x;';
my $near = 'ktp_pass http://127.0.0.1:1/x;';
my $keys = 'ktp_app_id a; ktp_api_key k;';
my $client = "ktp_client c { $key }";

KTP::Nginx::write_file("$prefix/users", "u:{PLAIN}p\n");

# the warnings of a configuration, without their file and line
sub warnings_of {
    my (%opt) = @_;

    my ($status, $said) = $nginx->test(
        $nginx->config(log_level => 'error', %opt,
                       main => KTP::load_module() . "\n" . ($opt{main} // '')));

    is($status, 0, 'it is valid') or diag($said);

    return map { s/ in \Q$file\E:\d+$//r }
           grep { !/"user" directive makes sense only/ }
           $said =~ /^nginx: \[warn\] (.*)/mg;
}

sub open_to {
    return qq{"ktp_pass" in location "$_[0]" makes calls for anybody, there }
         . 'is no "ktp_auth", "allow", "deny", "auth_basic" or '
         . '"auth_request",';
}

# -- [what is in location /x, what is in server, in http]: open, or not

for my $row (
    # open
    [1, $near],
    [1, $near, 'location /y { deny all; }'],
    [1, "$near ktp_auth off;", 'ktp_auth on;', $client],
    [1, "$near auth_basic off;", "auth_basic a; auth_basic_user_file users;"],
    [1, "$near satisfy any;"],
    [1, "$near auth_request off;", 'auth_request /a;'],
    [1, "$near limit_except GET { deny all; }"],
    [1, $near, 'if ($host = a) { return 403; }'],

    # closed, or meant to be open
    [0, "$near ktp_auth on;", '', $client],
    [0, $near, 'ktp_auth on;', $client],
    [0, $near, '', "$client ktp_auth on;"],
    [0, "$near ktp_auth \$remote_user;", '', $client],
    (map { [0, "$near $_"], [0, $near, $_], [0, $near, '', $_] }
         'deny all;', 'allow all;', 'allow 10.0.0.0/8; deny all;',
         'allow ::1;', 'allow unix:;',
         'auth_basic a; auth_basic_user_file users;',
         'auth_basic $host; auth_basic_user_file users;',
         'auth_request /a;'),
    [0, "$near if (\$http_x != y) { return 403; }"],
    [0, "$near internal;"],
) {
    my ($open, $location, $server, $http) = @$row;
    my @said = warnings_of(server => ($server // '')
                                     . " location /x { $location }",
                           http => $http // '');

    is_deeply(\@said, [$open ? open_to('/x') : ()],
              join ' | ', $open ? 'open' : 'closed', @$row[1 .. $#$row]);
}

is_deeply([warnings_of(server => "location \@x { $near } "
                                 . 'error_page 413 = @x;')], [],
          'a named location is where another has been left');
is_deeply([warnings_of(server => "location ~ ^/(a|b)\$ { $near }
                                  location /c { $near deny all;
                                      location /c/d { $near } }
                                  location /e { $near
                                      location /e/f { $near allow all; } }")],
          [map { open_to($_) } '^/(a|b)$', '/e'],
          'each location is told, also nested ones');

# -- the others; the location is closed

for my $row (
    # [warnings, what is in location, what is in http, options]
    [[], "$far $keys"],
    [['"ktp_pass" in location "/x" makes calls to "api.example.com" without '
      . '"ktp_app_id" and "ktp_api_key",'], $far],
    [['"ktp_pass" in location "/x" makes calls to "api.example.com" without '
      . '"ktp_api_key",'], "$far ktp_app_id a;"],
    [['"ktp_pass" in location "/x" makes calls to "api.example.com" without '
      . '"ktp_app_id",'], $far, 'ktp_api_key k;'],
    [[], $far, $keys],
    (map { [[], "ktp_pass $_;"] } 'http://127.0.0.1:1/x', 'http://[::1]/x',
         'https://localhost/x', 'unix:/run/e.sock:/x'),

    [['"ktp_pass" in location "/x" sends images and keys to "api.example.com" '
      . 'over plain HTTP'], "ktp_pass http://api.example.com/x; $keys"],
    [['"ktp_ssl_verify" is off in location "/x", the identity of '
      . '"api.example.com" is not verified'], "$far $keys ktp_ssl_verify off;"],
    [[], 'ktp_pass https://127.0.0.1:1/x; ktp_ssl_verify off;'],
    [['duplicate value "jpeg" in "ktp_image_types" directive'],
     "$near ktp_image_types jpeg jpeg;"],

    [['"ktp_auth" in location "/x" rejects all requests, there is no '
      . '"ktp_client",'], "$near ktp_auth on;"],
    [['"ktp_auth" in location "/x" rejects all requests, there is no '
      . '"ktp_client",'], "$near ktp_auth \$remote_user;"],
    [['"ktp_auth" in location "/x" rejects all requests, there is no '
      . '"ktp_client",'],
     "$near ktp_auth on;", "include $prefix/clients/*.conf;"],
    [['client "a" has no "key_sha256", all its requests are rejected,'],
     "$near ktp_auth on;", "ktp_client a { } $client"],
    [[], "$near ktp_auth on;", "ktp_client a { disabled; } $client"],
    [[], "$near ktp_auth \$remote_user;", 'ktp_client a { }'],
    [[], "$near ktp_auth on;", "ktp_client a { } $client",
     server => "location /y { ktp_auth \$remote_user; $near }"],
    [[], $near, 'ktp_client a { }'],

    [['code "KTP_NOT_DETECETD" in "ktp_billed_codes" directive is not known '
      . 'as one of a response with status 400'],
     "$near ktp_billed_codes KTP_NOT_DETECTED KTP_NOT_DETECETD;"],
    [[], "$near ktp_billed_codes INVALID_PAYLOAD_REFERENCE_ID_EXISTS;"],
    [[], "$near ktp_billed_codes none;"],

    # a point is no separator of thousands
    (map { [[qq{amount "$_" in "ktp_price" directive has a decimal point, }
             . 'thousands are not separated'], "$near ktp_price $_ IDR;"] }
         '1.500', '12.000', '1.525'),
    (map { [[], "$near ktp_price $_;"] }
         '1500 IDR', '0.035 USD', '0.500 USD', '1500.5 IDR', '1.50 USD'),

    [['"ktp_console" shows nothing, there is no "ktp_status" in this '
      . 'configuration'], 'ktp_console;'],
    (map {
        [['"' . $_->[1] . '" in location "/x" overrides an earlier directive '
          . 'that handles requests'], "$_->[0]; $_->[1];",
         '', server => 'location /metrics { ktp_status; }',
         http => 'ktp_zone k:1m;']
    } ['ktp_status', 'ktp_console'], ['ktp_console', 'ktp_health'],
      ['ktp_health', 'ktp_status'], ['stub_status', 'ktp_health']),
    [[], 'ktp_console;', '', server => 'location /metrics { ktp_status; }',
     http => 'ktp_zone k:1m;'],

    # the whole image is needed, but in a rehearsal
    (map {
        [['"ktp_request_buffering off" has no effect in location "/x", another '
          . 'location needs the whole image,'],
         "$near ktp_request_buffering off; $_;", '',
         server => "location \@read { $near }"],
        [[], "$near $_;", '', server => "location \@read { $near }"],
    } 'ktp_precheck @read', 'ktp_precheck @read shadow',
      'ktp_first @read confidence=0.9', 'ktp_fallback @read on=error',
      'ktp_shadow @read sample=1%'),
    [[], "$near ktp_request_buffering off; ktp_fallback off;"],

    [[], $near, '', connections => 10],
    [[], $near, '', connections => 3],
    [[], "$near ktp_max_inflight 5;", '', connections => 10],
    [['10 "worker_connections" are less than twice the "ktp_max_inflight" of '
      . '6 in location "/x",'], "$near ktp_max_inflight 6;", '',
     connections => 10],
    [['1024 "worker_connections" are less than twice the "ktp_max_inflight" '
      . 'of 1024 in location "/x",'], $near, 'ktp_max_inflight 1024;'],

    (map {
        [['"ktp_pass" in location "/x" is overridden by a later directive '
          . 'that handles requests,'], "$near $_"],
        [['"ktp_pass" in location "/x" overrides an earlier directive that '
          . 'handles requests,'], "$_ $near"],
    } 'proxy_pass http://127.0.0.1:2;', 'fastcgi_pass 127.0.0.1:2;',
      'ktp_status;', 'empty_gif;', 'stub_status;'),
    (map {
        [['"ktp_pass" in location "/x" is overridden by "return",'], $_]
    } "$near return 404;", "return 200 ok; $near",
      "return 301 https://\$host; $near"),
    [[], "$near if (\$request_method = OPTIONS) { return 204; }"],
    [[], "$near set \$a b;"],
) {
    my ($want, $location, $http, %opt) = @$row;
    my $zone = $location =~ /ktp_status/ ? 'ktp_zone k:1m;' : '';
    my @said = warnings_of(
        server => "location /x { allow all; $location } "
                  . (delete $opt{server} // ''),
        http => "$zone " . ($http // ''), %opt);

    is_deeply(\@said, $want, join ' ', $location, $http // '', %opt);
}

# -- directories of the state file: by mode, by owner, and for each user that
# workers may be of

SKIP: {
    skip 'the user of workers is set by root', 1 unless $> == 0;

    my ($name, $uid, $gid) = (getpwnam 'nobody')[0, 2, 3];
    my $user = "$name " . getgrgid $gid;

    chmod 0755, $prefix;
    mkdir "$prefix/up";
    mkdir "$prefix/up/state";

    for my $row (
        # mode of up, mode of state, owner and group of state; may it
        [0755, 0700, $uid, 0, 1], [0755, 0500, $uid, 0, 0],
        [0755, 0600, $uid, 0, 0], [0755, 0077, $uid, $gid, 0],
        [0755, 0770, 0, $gid, 1], [0755, 0750, 0, $gid, 0],
        [0755, 0707, 0, $gid, 0], [0755, 0707, 0, 0, 1],
        [0755, 0755, 0, 0, 0], [0755, 01777, 0, 0, 1],
        [0700, 0777, 0, 0, 0], [0711, 0777, 0, 0, 1],
        [0700, 0700, $uid, 0, 0],
    ) {
        my ($up, $mode, $owner, $group, $may) = @$row;

        chown $owner, $group, "$prefix/up/state";
        chmod $mode, "$prefix/up/state";
        chmod $up, "$prefix/up";

        my $at = $up == 0700 ? "$prefix/up" : "$prefix/up/state";
        my $conf = $nginx->config(
            log_level => 'error', main => KTP::load_module(),
            http => "ktp_zone k:1m state=$prefix/up/state/file;")
            =~ s/^user root;/user $user;/mr;
        my ($status, $said) = $nginx->test($conf);
        my ($warn) = $said =~ /^nginx: \[warn\] (state file .*)/m;

        is($status, 0, 'it is valid') or diag($said);
        is($warn, $may ? undef
                  : "state file \"$prefix/up/state/file\" cannot be written "
                    . "by workers, user $uid has no access to directory "
                    . "\"$at\" (13: Permission denied)",
           sprintf '%04o/%04o of %d:%d', $up, $mode, $owner, $group);

        # and so it is: what workers are able to write
        my $able = system(
            'setpriv', "--reuid=$uid", "--regid=$gid", '--init-groups',
            'sh', '-c', "exec 2> /dev/null; > $prefix/up/state/probe "
            . "&& rm $prefix/up/state/probe") == 0;
        is($able ? 1 : 0, $may, 'as the system sees it');
    }

    chmod 0755, "$prefix/up";
    my $conf = $nginx->config(main => KTP::load_module(), log_level => 'error',
                              http => "ktp_zone k:1m state=$prefix/none/file;")
        =~ s/^user root;/user $user;/mr;
    my ($status, $said) = $nginx->test($conf);
    is($status, 0, 'a directory may be made later') or diag($said);
    like($said, qr/\[warn\] state file "\S+" cannot be written by workers, user $uid has no access to directory "\Q$prefix\E\/none" \(2: /,
         'and that there is none is told');
}

done_testing();
