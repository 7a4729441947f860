# Every directive of the module, as its table in the source has them, with
# values of each kind that it does not take: the message names the directive
# and what is allowed.  A new directive without a row here fails.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

# commas are among the values
no warnings 'qw';

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;

KTP::Nginx::write_file("$prefix/text", "no certificate\n");
KTP::Nginx::write_file("$prefix/empty", '');

# values that someone may write, of the kind that a directive takes
my @number = qw(x -1 1.5 1k $n 99999999999999999999 1_000 '');
my @size = qw(x -1 1.5 1g 5mb $n 99999999999999999999 99999999999999999m '');
my @time = qw(x -1 0 1.5 5sec $t 99999999999999999999 '');
my @flag = qw(yes no true 1 $f '');
my @secret = ('env:KTP_KEY', 'ENV:KTP_KEY', 'env=KTP_KEY', 'File:/a',
              'file=/a', 'data:x', 'store:x', 'engine:x:y', 'file:',
              "file:$prefix/none", "file:$prefix", "file:$prefix/empty",
              'file:$HOME/a', 'file:$CREDENTIALS_DIRECTORY/a');
my @url = ('ftp://h/x', 'h/x', '//h/x', 'http:/h/x', 'https://', 'http:///x',
           'http://h', 'http://h:0/x', 'http://h:99999/x', 'http://h:p/x',
           'http://u@h/x', 'http://u:p@h/x', 'http://h/x#f', "'http://h/a b'",
           'http://h/$arg_a', 'http://$host/x', 'https://${host}/x', '$url',
           'unix:/s', 'unix:s:/x', 'unix:/s:x', 'unix:$s:/x', 'env:URL', "''",
           'upstream', '@named');
my @proxy = ('h:1', 'https://h:1', 'socks5://h:1', 'http://h', 'http://:1',
             'http://h:p', 'http://h:99999', 'http://u:p@ss@h:1',
             'http://u@s:p@h:1', 'http://u:p/s@h:1', 'http://u:p#s@h:1',
             "'http://u:p?s\@h:1'", "'http://u:p s\@h:1'", 'http://u:p%@h:1',
             'http://u:p%4@h:1', 'http://u:p%zz@h:1', 'http://u:p%00@h:1',
             'http://$u:p@h:1', 'http://u:$p@h:1', 'http://$h:1', '$proxy',
             'env:http_proxy', 'on', "''");
my @fields = qw(name nik, nik,city NIK nomor *nik $fields all,nik '');
my @location = ('reader', '/reader', '@', '$reader', 'on', 'OFF', "''",
                'http://h/x', 'off @reader');
my @file = ("$prefix/none", $prefix, "$prefix/text", "$prefix/empty", '$file',
            'env:FILE');

# [values, the words by which the message tells what is allowed, where]
my %row = (
    ktp_pass              => [[@url], 'http://HOST\[:PORT\]/PATH'],
    ktp_host              => [["''", "'a b'", 'a:1', 'https://a', 'a/b', '$host',
                               'env:A', '*.a', '[::1]'], 'a host name'],
    ktp_app_id            => [[@secret]],
    ktp_api_key           => [[@secret]],
    ktp_log_key           => [[@secret]],
    ktp_zone              => [['k', 'k:', ':1m', 'k:x', 'k:8k', '$z',
                               'k:1m state=', 'k:1m /state', 'k:1m file=/a',
                               'k:1m state=$dir/a'],
                              'NAME:SIZE|at least|state=FILE', 'http'],
    ktp_client            => [["'' { }", "'a b' { }", 'a"b { }', '$name { }',
                               'n' x 65 . ' { }'], 'visible ASCII', 'http'],
    ktp_auth              => [[@flag[0 .. 3], "''", 'basic', 'env:A'],
                              '"on", "off", "ticket", or a variable'],
    ktp_ticket            => [['on', 'off', '5m', 'ttl', 'ttl=', 'ttl=x', 'ttl=-1s',
                               'ttl=0', 'ttl=999ms', 'ttl=2h', 'uses=',
                               (map { "uses=$_" } @number[0 .. 5], '0', '1001'),
                               'ttl=5m uses=0', 'uses=1 ttl=2h', '$t'],
                              '"ttl=TIME".*"uses=NUMBER"'],
    ktp_max_image_size    => [[@size, '1023', '65m'], 'from 1k to 64m'],
    ktp_min_dimensions    => [[qw(720 720x 720X480 x480 0x480 -1x5 70000x480
                                  720x480x1 720*480 720,480 $d $wx$h '')],
                              'WIDTHxHEIGHT'],
    ktp_max_pixels        => [[@size, '0'], 'at least 1'],
    ktp_image_types       => [[qw(jpg gif jpeg,png image/jpeg $t ''),
                               'jpeg webp'], '"jpeg", "png"'],
    ktp_image_url         => [['on', @flag], '"off" or "fetch"'],
    ktp_image_url_allow   => [[qw(all host 10.0.0 10.0.0.0/33 10.0.0.0-10.1.0.0
                                  10.0.0.0/8,127.0.0.1 ::1/129 $a '')],
                              'CIDR block'],
    ktp_image_url_timeout => [[@time], 'a time'],
    ktp_validate_quality  => [[@flag], '"client", "on", or "off"'],
    ktp_connect_timeout   => [[@time], 'a time'],
    ktp_body_timeout      => [[@time], 'a time'],
    ktp_read_timeout      => [[@time], 'a time'],
    ktp_timeout           => [[@time], 'a time'],
    ktp_keepalive         => [[@number, '65536', 'off'], 'from 0 to 65535'],
    ktp_keepalive_timeout => [[@time], 'a time'],
    ktp_max_inflight      => [[@number, '0', 'off'], 'at least 1'],
    ktp_retries           => [[@number, '6', 'off', '6 sent', '1 SENT', '1 all',
                               '1 $s', "1 ''"],
                              'from 0 to 5|it must be "sent"'],
    ktp_breaker           => [[@flag[0 .. 3], "''", 'on', '5', 'window=1m',
                               'off failures=5', 'failures=5 off',
                               (map { "failures=$_" } @number[0 .. 5], '0', '101'),
                               (map { ("failures=5 window=$_", "failures=5 max=$_") }
                                    qw(x -1 0 1.5 5sec $t 2d)),
                               'failures=5 failures=6', 'failures=5 open=1s open=2s',
                               'failures=5 close=1s', 'failures='],
                              '"off", or |"failures=NUMBER"'],
    ktp_precheck          => [[@location, 'off timeout=1s', 'off shadow',
                               (map { "\@r timeout=$_" } qw(x -1 0 1.5 5sec $t
                                    61s 2m), ''),
                               (map { "\@r $_" } qw(timeout shadow=on on $s
                                    confidence=0.9 '')),
                               '@r timeout=1s timeout=2s', '@r shadow shadow'],
                              '"off", or the name|"timeout=TIME" from 1ms to 1m',
                              'pass'],
    ktp_first             => [[@location, 'off confidence=1',
                               (map { "\@r confidence=$_" } qw(x -1 0 0.0001
                                    1.001 2 0.9999 .9.9 90% 1e-1 $c), ''),
                               (map { "\@r confidence=0.9 fields=$_" } qw(name
                                    nik, nik,nik NIK all nik,reference_id
                                    image_quality nik+city $f), ''),
                               (map { "\@r confidence=0.9 $_" } qw(fields
                                    confidence=0.9 shadow on '')),
                               '@r 0.9', '@r confidence=0.9 fields=nik fields=nik',
                               '@r', '@r fields=nik'],
                              '"off", or the name|"confidence=NUMBER" from 0.001 '
                              . 'to 1|has no "confidence"', 'pass'],
    ktp_fallback          => [[@location, 'off on=connect',
                               (map { "\@r on=$_" } qw(x CONNECT connect,
                                    ,connect connect,connect error+connect all
                                    http_500 $c), ''),
                               (map { "\@r $_" } qw(on connect error=on $o '')),
                               '@r on=error on=timeout'],
                              '"off", or the name|"on=CASE,..." of "connect"',
                              'pass'],
    ktp_shadow            => [[@location, 'off sample=1%',
                               (map { "\@r sample=$_" } qw(x 0% 101% 1 1.5% -1%
                                    % $s% 99999999999999999999%), ''),
                               (map { "\@r $_" } qw(sample 10% shadow $s '')),
                               '@r sample=1% sample=2%'],
                              '"off", or the name|"sample=NUMBER%" from 1% to 100%',
                              'pass'],
    ktp_request_buffering => [[@flag], '"on" or "off"'],
    ktp_ignore_client_abort => [[@flag], '"on" or "off"'],
    ktp_egress_proxy      => [[@proxy], '"off" or "http://'],
    ktp_user_agent        => [["''", '$http_user_agent', "'\xc3\xa9'"],
                              '"off" or ASCII'],
    ktp_ssl_verify        => [[@flag, 'optional'], '"on" or "off"'],
    ktp_ssl_name          => [["''", "'a b'", 'a:1', 'https://a', 'a/b', '$host',
                               'env:A', '*.a', '[::1]'], 'a host name'],
    ktp_ssl_trusted_certificate => [[@file], undef, 'pass'],
    ktp_ssl_certificate   => [[map { "$_; ktp_ssl_certificate_key $_" } @file],
                              undef, 'pass'],
    ktp_ssl_certificate_key => [['%CERT%'], undef, 'pass'],
    ktp_json_errors       => [[@flag], '"on" or "off"'],
    ktp_status            => [['on', '$s', 'json'], undef],
    ktp_console           => [['on', '/metrics', 'status', 'status=', 'url=/a',
                               'status=//h/a', 'status=http://h/a',
                               'status=data:x', 'status=/$a', 'status=/a#b',
                               "'status=/a b'", 'status=/<a>',
                               'status=\\\\h/a', "'status=\"a'",
                               "status=/\xc3\xa9", 'status=/a status=/b'],
                              '"status=URI"'],
    ktp_health            => [['on', '$h', '/health'], undef],
    ktp_fields            => [[@fields, 'none'], 'full_name.*image_quality'],
    ktp_mask              => [[@fields, 'all', 'image_quality', 'nik=', 'nik=x',
                               'nik=last', 'nik=last:0', 'nik=last:65',
                               'nik:last:4', 'nik=4', 'nik=$m'],
                              'full_name.*image_quality|a text|"first:N"'],
    ktp_nik_check         => [[@flag], '"on" or "off"'],
    ktp_strip_metadata    => [[@flag], '"on" or "off"'],
    ktp_answer_zone       => [['x', ':1m', 'a:', 'a:x', 'a:-1', 'a:64k', '$a:1x'],
                              'NAME:SIZE|at least 128k', 'http'],
    ktp_redis             => [['$r:1', 'unix:', 'unix:$s', 'h:0', 'h:65536',
                               'h:x', ':1', "''", 'none.invalid', 'h:1/x',
                               (map { "127.0.0.1 database=$_" }
                                    @number[0 .. 6], '65536', ''),
                               (map { "127.0.0.1 timeout=$_" } @time[0 .. 6],
                                    '61s', ''),
                               (map { ("127.0.0.1 'prefix=$_'",
                                       "127.0.0.1 'host=$_'",
                                       "127.0.0.1 'user=$_'") }
                                    '', 'a' x 65, '{a}', '$a', 'a/b', "\xc3\xa9"),
                               (map { "127.0.0.1 $_" } 'tls=on', 'tls tls',
                                    'tls tls_ca=', "tls 'tls_name=a b'", 'db=1', 'on', "''",
                                    'password', 'prefix=a prefix=b',
                                    'database=1 database=1',
                                    'timeout=1s timeout=1s')],
                              'HOST\[:PORT\] or unix:PATH|"user=NAME"',
                              'http'],
    ktp_fleet_key         => [[(map { "file:$_" } @file), @file, '$k', "''"],
                              undef, 'http'],
    ktp_dedupe            => [[@flag[0 .. 3], "''", 'off ttl=1m',
                               (map { "on $_" } qw(ttl ttl= ttl=0 ttl=-1 ttl=x
                                    ttl=8d scope scope=any scope=
                                    reference_id=x on off $d ''
                                    fleet=on))],
                              '"off", or "on"|"ttl=TIME"'],
    ktp_idempotency       => [[@flag[0 .. 3], "''", 'off ttl=1m', '1',
                               (map { "required $_" } qw(ttl ttl= ttl=0 ttl=8d
                                    scope=all $d ''))],
                              '"off", or "on" or "required"|"ttl=TIME"'],
    ktp_forget            => [['on', '$f'], undef],
    ktp_cors              => [["''", 'on', 'null', '$http_origin', '* *',
                               'off https://a', 'https://a off', '* https://a',
                               'app.example.id', 'https://*', 'https://*.id',
                               'https://App.example.id', 'https://a.example/',
                               'https://a.example:443', 'https://a, https://b',
                               '~^https://.*\\.example$'],
                              'origins as browsers send them'],
    ktp_sandbox           => [[@flag], '"on" or "off"'],
    ktp_billed_codes      => [['none KTP_NOT_DETECTED', 'KTP_NOT_DETECTED none',
                               'KTP_NOT_DETECTED,INVALID_PAYLOAD',
                               'ktp_not_detected', 'KTP-NOT-DETECTED', 'all',
                               '$codes', 'A' x 65, "''"],
                              '"none", or error codes'],
    ktp_price             => [[(map { "$_ IDR" } qw(x -1 +1 1e3 1,5 1.500,00 .5 5.
                                   0x1 Rp500 1.0000001 1000000000000 $p ''
                                   1_000)), "' 1' IDR",
                               (map { "500 $_" } qw(idr Rp ID IDRS ID1 $c '')),
                               '500', '500 IDR month', 'off'],
                              'a number such as "1500"|three capital letters'],
    ktp_pass_trace        => [[@flag], '"on" or "off"'],
    ktp_reference_id      => [['on', @flag, 'random', 'pass,derive'],
                              '"pass", "generate", or "derive"'],
);

# the same of a client's block
my %client = (
    key_sha256 => [['x', 'a1' x 31, 'a1' x 33, 'g' x 64, '$key', 'env:KEY',
                    'file:/a', "''", '%A1% x'], '64 hexadecimal digits'],
    quota      => [[qw(100 x/day -1/day 1.5/day 1k/day 1/week 1/DAY 1/days
                       99999999999999999999/day /day 1/ $q/day $q ''),
                    '1/day shadows', '1/day fleets', '1/day fleet=on',
                    '1/day fleet fleet', '1/day local=1% fleet',
                    (map { "1/day fleet local=$_" } '', qw(0% 101% 1 x% % -1%
                     1.5% $p%)), '1/day fleet local=1% local=1%', '1/day shadow=on', '1/day offset',
                    '1/day offset=7', '1/day offset=WIB',
                    '1/day offset=$o'],
                   'NUMBER/day|"offset=\+HH:MM"|"offset=\+07:00"'],
    rate       => [[qw(10 10r/s 10r/m 10/h 10/sec 0/s -1/s 1.5/s 1000001/s /s
                       $r/s $r ''), '1/s nodelay', '1/s burst', '1/s burst=0',
                    '1/s burst=x', '1/s burst=1000001', '1/s burst=$b',
                    '1/s fleet fleet', '1/s fleet=on', '1/s shadow',
                    '1/s burst=1 burst=1'],
                   'NUMBER/s|burst=NUMBER'],
    max_inflight => [[qw(0 -1 x 1.5 50% $n), '', '99999999999999999999'],
                     'at least 1'],
    fields     => [[@fields, 'none'], 'full_name.*image_quality'],
    mask       => [[@fields, 'all', 'image_quality', 'nik=last:0', 'nik=4'],
                   'full_name.*image_quality|a text|"first:N"'],
    disabled   => [['on', 'yes', '$d'], undef],
);

# every directive has a row
my @known = KTP::Nginx::read_file('ngx_http_ktp_module.c')
    =~ /^    \{ ngx_string\("(ktp_\w+)"\)/mg;
is_deeply([sort keys %row], [sort @known], 'all directives of the module');
@known = KTP::Nginx::read_file('src/gateway/conf/ngx_http_ktp_client.c')
    =~ /^    \{ngx_string\("([a-z]\w+)"\), \d/mg;
is_deeply([sort keys %client], [sort @known], 'all directives of a client');

sub try {
    my (%opt) = @_;

    return $nginx->test($nginx->config(
        %opt, main => KTP::load_module() . "\nenv KTP_KEY;\n"));
}

sub check {
    my ($name, $value, $allowed, %opt) = @_;

    local $ENV{CREDENTIALS_DIRECTORY};
    delete $ENV{CREDENTIALS_DIRECTORY};

    my ($status, $said) = try(%opt);
    my ($line) = $said =~ /^nginx: \[emerg\] (.*)/m;
    $line //= '';

    is($status, 1 << 8, "$name $value: is refused") or diag($said);
    like($line, qr/"\Q$name\E"/, '... by a message with the directive');
    like($line, qr/$allowed/, '... and what is allowed')
        if $allowed && $line !~ /invalid number of arguments/;

    # a value that may be a secret is not told
    unlike($line, qr/u:p|p\@ss/, '... without the password')
        if $name eq 'ktp_egress_proxy';
}

for my $name (sort keys %row) {
    my ($values, $allowed, $where) = @{ $row{$name} };

    $allowed //= $name =~ /_(?:id|key)$/ ? 'file:|regular file|open\(\)|only variable|first line|requires'
               : undef;
    $where //= $name eq 'ktp_pass' ? 'location' : 'server';
    $where = 'location'
        if $name =~ /^ktp_(?:status|health|console|forget|ticket)$/;

    for my $value (@$values) {
        my $text = "$name $value" . ($value =~ /\}$/ ? '' : ';');

        if ($value eq '%CERT%') {
            $text = "ktp_ssl_certificate $prefix/cert; "
                  . "ktp_ssl_certificate_key $prefix/none;";
            system('openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a '
                   . "-keyout $prefix/key -out $prefix/cert 2> /dev/null") == 0
                or next;
        }

        my %opt = $where eq 'http'     ? (http => $text)
                : $where eq 'server'   ? (server => $text)
                : $where eq 'location' ? (server => "location /x { $text }")
                : (server => 'location /x { ktp_pass https://a.test/x; '
                             . "$text }");

        check($name, $value, $allowed, %opt);
    }

    # no value at all, two, and the directive twice
    unless ($name =~ /^ktp_(?:client|status|console)$/) {
        check($name, '(none)', undef,
              $where eq 'http' ? (http => "$name;")
                               : (server => "location /x { $name; }"));
    }
}

for my $name (sort keys %client) {
    my ($values, $allowed) = @{ $client{$name} };

    for my $value (@$values) {
        my $text = "$name " . $value =~ s/%A1%/'a1' x 32/er . ';';

        check($name, $value, $allowed,
              http => "ktp_zone k:1m; ktp_client a { $text }");
    }
}

# -- locations that answer for others: what is told of them, and where

my $asks = 'ktp_pass https://a.test/x; allow all;';
my $reads = 'ktp_pass http://127.0.0.1:1/x; allow all;';

for my $case (
    ['which is not in this server', '@none'],
    ['which is not in this server', '@elsewhere',
     'server { listen 127.0.0.1:1; location @elsewhere { ' . $reads . ' } }'],
    ['which is not in this server', '@READ'],
    ['which has no "ktp_pass"', '@page'],
    ['which makes no calls, "ktp_sandbox" is on', '@sandbox'],
    ['which itself names a location that answers for it', '@again'],
    ['which itself names a location that answers for it', '@self'],
) {
    my ($wrong, $name, $http) = @$case;

    for my $directive ("ktp_precheck $name", "ktp_first $name confidence=1",
                       "ktp_fallback $name", "ktp_shadow $name") {
        my ($role) = $directive =~ /^(\w+)/;
        my ($status, $said) = try(
            http => ($http // '') . ' upstream block { server 127.0.0.1:1; }',
            server => "location /x { $asks $directive; }"
                . " location \@read { $reads } location \@page { root html; }"
                . " location \@sandbox { $reads ktp_sandbox on; }"
                . " location \@again { $reads ktp_fallback \@read; }"
                . " location \@self { $reads $role \@self"
                . ($role eq 'ktp_first' ? ' confidence=1' : '') . '; }');

        is($status, 1 << 8, "$directive: is refused");
        like($said, qr/"$role" in location "(?:\/x|\@self)" names location "$name", $wrong, in \S+:\d+$/m,
             "$directive: $wrong");
    }
}

for my $role ('ktp_precheck', 'ktp_first', 'ktp_fallback', 'ktp_shadow') {
    my $with = $role eq 'ktp_first' ? ' confidence=0.9' : '';
    my $block = 'upstream block { server 127.0.0.1:1; }';
    my $named = 'location @block { allow all; ktp_pass http://block/x; }'
              . " location \@read { $reads }";
    my ($status, $said) = try(
        http => $block,
        server => "$named location /x { $asks $role \@block$with; }");

    is($status, $role eq 'ktp_shadow' ? 1 << 8 : 0, "$role: several servers")
        or diag($said);
    like($said, qr/"ktp_shadow" in location "\/x" names location "\@block", whose "ktp_pass" names an "upstream" block, which is not supported here, in /,
         "$role: which are told")
        if $role eq 'ktp_shadow';

    ($status, $said) = try(
        server => "$named location /x { $asks $role \@read$with;"
                  . " $role \@read$with; }");
    is($status, 1 << 8, "$role: twice");
    like($said, qr/"$role" directive is duplicate/, "$role: which is told");

    # an inner location has it as well, or not
    for my $inner ('', "$role off;", "$role \@read$with;") {
        ($status, $said) = try(
            server => "location \@read { $reads } location /x { $asks "
                      . "$role \@read$with; location /x/y { $asks $inner } }");
        is($status, 0, "$role: inherited, $inner") or diag($said);
    }
}

# -- an upstream block, before and after, and the name of a host

for my $order (0, 1) {
    my $block = 'upstream vendors { server 127.0.0.1:1; }';
    my $server = 'server { location /v { allow all; '
               . 'ktp_pass http://Vendors/x; } }';
    my ($status, $said) = try(http => join ' ', $order ? ($server, $block)
                                                       : ($block, $server));

    is($status, 0, 'an upstream block') or diag($said);
}

for my $url ('http://vendors:8080/x', 'http://vendors.test/x',
             'unix:/vendors:/x') {
    my ($status, $said) = try(
        http => 'upstream vendors { server 127.0.0.1:1; }',
        server => "location /x { ktp_pass $url; }");

    is($status, 0, "$url is none") or diag($said);
}

# -- a field that is nearly right

for my $case (['name', 'full_name'], ['nik,', 'nik'], ['NIK', 'nik'],
              ['adress', 'address'], ['rtrw', 'rt_rw'], ['gendre', 'gender'],
              ['birth', 'place_of_birth'], ['village', 'administrative_village'],
              ['date-of-birth', 'date_of_birth'], ['x', ''], ['', ''],
              ['n' x 200, '']) {
    my ($name, $meant) = @$case;
    my ($status, $said) = try(server => "ktp_fields '$name';");

    isnt($status, 0, "field '$name'");
    is($said =~ /did you mean "(\w+)"\?/ ? $1 : '', $meant,
       "... is taken for '$meant'");
}

# -- what is right

for my $value ('http://user:p%40ss%2f%24@h.test:3128', 'http://h:1',
               'http://u@[::1]:1', 'HTTP://a-b_c.test:1', 'off') {
    my ($status, $said) = try(server => "ktp_egress_proxy $value;");

    is($status, 0, "ktp_egress_proxy $value") or diag($said);
}

for my $value (qw(a environment envy:x 'a:b' $host filename)) {
    my ($status, $said) = try(server => "ktp_api_key $value;");

    is($status, 0, "ktp_api_key $value") or diag($said);
}

done_testing();
