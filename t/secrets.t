# Where the secrets are: read from files, again when those change; told by
# "nginx -t" when they can be seen; and in no log, page, file or core dump.

use strict;
use warnings;

use lib 't/lib';
use File::Find ();
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $jpeg = jpeg(720, 480);

# each is a word that is found nowhere else
my $serial = 0;
my @canaries;
sub canary {
    my $word = sprintf 'canary%06d%04d', $$, ++$serial;

    push @canaries, $word;
    return $word;
}

# a file with a secret, put there as a whole
sub secret {
    my ($path, $value, $mode) = @_;

    KTP::Nginx::write_file("$path.new", "$value\n");
    chmod $mode // 0600, "$path.new";
    rename "$path.new", $path or die "$path: $!";
}

sub post {
    my ($nginx, @more) = @_;

    my $file = $nginx->prefix . '/image';

    KTP::Nginx::write_file($file, $jpeg) unless -e $file;
    return KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/e', '-H',
                            'Content-Type: image/jpeg', '--data-binary',
                            "\@$file", @more);
}

# the key that the upstream gets
sub key_sent {
    my ($nginx) = @_;

    $upstream->reset;
    post($nginx);

    my @calls = $upstream->calls;

    return @calls && $calls[-1]{head} =~ /^API-Key: (.*)\r$/m ? $1 : 'none';
}

# waits until the upstream gets a key; whether it does
sub key_becomes {
    my ($nginx, $key) = @_;

    return KTP::Nginx::wait_for(sub { key_sent($nginx) eq $key });
}

sub conf {
    my ($nginx, $http, %opt) = @_;

    my $text = $nginx->config(
        master => 'on', root => 0, main => KTP::load_module()
                                          . ($opt{main} // ''),
        http => $http, server => "location = /e { allow all; ktp_pass $url/x; }\n"
                                 . ($opt{server} // ''));

    $text =~ s/^user root;$/user $opt{user};/m if $opt{user};

    return $text;
}

# -- files that change

{
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $file = "$prefix/conf/api-key";
    my @keys = map { canary() } 1 .. 4;

    secret($file, $keys[0]);
    $nginx->start(conf($nginx, "ktp_api_key file:api-key;"))
        or BAIL_OUT($nginx->complaint);
    is(key_sent($nginx), $keys[0], 'a key from a file');

    secret($file, $keys[1]);
    ok(key_becomes($nginx, $keys[1]), 'that changes is read again');
    like($nginx->log_from, qr/\[notice\].* secret reloaded from "\Q$file/,
         'which the log tells');

    # written in place, in two steps
    KTP::Nginx::write_file($file, '');
    ok($nginx->wait_log(qr/\[error\].*\Q$file\E" is empty, .*keeping the previous secret/),
       'an empty file is told');
    is(key_sent($nginx), $keys[1], 'and the key stays');
    KTP::Nginx::write_file($file, "$keys[2]\r\nnext line\n");
    ok(key_becomes($nginx, $keys[2]), 'until there is one');

    unlink $file;
    ok($nginx->wait_log(qr/stat\(\) "\Q$file\E" failed, .*keeping the previous secret/),
       'a file that is gone is told');
    is(key_sent($nginx), $keys[2], 'and the key stays');

    secret($file, $keys[3]);
    ok(key_becomes($nginx, $keys[3]), 'until it is there again');
    is(() = $nginx->log_from =~ /\[error\]/g, 2, 'each was told once');

    $nginx->stop;
}

# -- a file that only the master may read

SKIP: {
    skip 'needs root', 4 if $> != 0;

    my $nginx = KTP::Nginx->new;
    my $file = $nginx->prefix . '/conf/api-key';
    my @keys = (canary(), canary());

    secret($file, $keys[0]);
    $nginx->start(conf($nginx, "ktp_api_key file:api-key;",
                       user => 'nobody nogroup'))
        or BAIL_OUT($nginx->complaint);
    is(key_sent($nginx), $keys[0], 'a key that the worker may not read');

    secret($file, $keys[1]);
    my $told = qr/open\(\) "\Q$file\E" failed, .*keeping the previous secret until reload/;
    ok($nginx->wait_log(qr/\[notice\].* $told/),
       'stays when it changes, which is told');
    is(key_sent($nginx), $keys[0], 'until then');

    $nginx->signal('HUP');
    ok(key_becomes($nginx, $keys[1]), 'and a reload reads it');
    $nginx->stop;
}

# -- systemd's credentials

{
    my $nginx = KTP::Nginx->new;
    my $dir = $nginx->prefix . '/credentials';
    my $key = canary();
    my $conf = conf($nginx, 'ktp_api_key file:$CREDENTIALS_DIRECTORY/key;');

    mkdir $dir;
    secret("$dir/key", $key);

    my ($status, $said) = $nginx->test($conf);
    isnt($status, 0, 'no folder of credentials in the environment');
    my $why = '"$CREDENTIALS_DIRECTORY/key" in "ktp_api_key" directive requires '
            . 'an absolute path in the environment variable '
            . '"CREDENTIALS_DIRECTORY", which systemd '
            . 'sets; to run nginx by hand, use "CREDENTIALS_DIRECTORY='
            . '/run/credentials/nginx.service nginx -t"';
    like($said, qr{\[emerg\] \Q$why\E}, 'is told');

    local $ENV{CREDENTIALS_DIRECTORY} = $dir;
    $nginx->start($conf) or BAIL_OUT($nginx->complaint);
    is(key_sent($nginx), $key, 'a key of systemd\'s credentials');
    $nginx->signal('HUP');
    ok($nginx->wait_log(qr/gracefully shutting down|exiting/), 'a reload');
    is(key_sent($nginx), $key, 'finds them again');
    $nginx->stop;

    for my $path ('$HOME/key', '$CREDENTIALS_DIRECTORY',
                  '$CREDENTIALS_DIRECTORY/', '$CREDENTIALS_DIRECTORYx/key') {
        ($status, $said) = $nginx->test(
            conf($nginx, "ktp_api_key file:$path;"));
        isnt($status, 0, "file:$path is refused");
        like($said, qr/\[emerg\] invalid path "\Q$path\E"/, 'and told');
    }
}

# -- what nginx -t warns of

{
    my $nginx = KTP::Nginx->new;
    my $file = $nginx->prefix . '/conf/key';

    for my $case ([0644, 'warn'], [0602, 'warn'], [0640, 'none']) {
        my ($mode, $want) = @$case;

        secret($file, 'value', $mode);
        my ($status, $said) = $nginx->test(conf($nginx,
                                                'ktp_api_key file:key;'));
        my $name = sprintf 'a file of mode %04o', $mode;

        is($status, 0, "$name is taken");
        if ($want eq 'warn') {
            my $text = "secret file \"$file\" is accessible to all users, "
                     . 'its mode is ' . sprintf '%04o', $mode;
            like($said, qr/\[warn\] \Q$text\E in/, 'with a warning');
        } else {
            unlike($said, qr/\[warn\]/, 'with no warning');
        }
    }

    for my $case (['http://192.0.2.1/x', 'over plain HTTP'],
                  ['http://ktp.example/x', 'over plain HTTP'],
                  ['http://localhost.example/x', 'over plain HTTP'],
                  ['http://[2001:db8::1]/x', 'over plain HTTP'],
                  ['http://127.0.0.2:8080/x', ''], ['http://[::1]/x', ''],
                  ['http://LocalHost/x', ''], ['unix:/run/x.sock:/x', ''],
                  ['https://ktp.example/x', ''],
                  ['https://ktp.example/x; ktp_ssl_verify off', 'is off'],
                  ['https://127.0.0.1/x; ktp_ssl_verify off', '']) {
        my ($pass, $want) = @$case;
        my ($status, $said) = $nginx->test(
            conf($nginx, '', server => 'location /p { allow all; ktp_app_id a; '
                                       . "ktp_api_key k; ktp_pass $pass; }"));

        is($status, 0, "$pass is taken");
        if ($want) {
            like($said, qr/\[warn\].*$want.*in location "\/p"|\[warn\].*"\/p".*$want/,
                 'with a warning');
        } else {
            unlike($said, qr/\[warn\]/, 'with no warning');
        }
    }
}

# -- secrets in variables, with the log at debug

{
    my $nginx = KTP::Nginx->new;
    my ($app, $api, $log) = my @secrets = map { canary() } 1 .. 3;

    $nginx->start(conf($nginx, <<EOC)) or BAIL_OUT($nginx->complaint);
        map \$host \$app { default $app; }
        map \$host \$api { default $api; }
        map \$host \$log { default $log; }
        log_format digest '\$ktp_image_hmac';
        access_log @{[ $nginx->prefix ]}/logs/digest.log digest;
        ktp_app_id \$app; ktp_api_key "\$api"; ktp_log_key \$log;
EOC
    is(key_sent($nginx), $api, 'a key from a variable');
    $nginx->stop('QUIT');

    like(KTP::Nginx::read_file($nginx->prefix . '/logs/digest.log'),
         qr/^[0-9a-f]{16,}$/m, 'and the key of digests');

    my $text = $nginx->log_from;
    my $debug = `$KTP::Nginx::Binary -V 2>&1` =~ /--with-debug/;

    is($text =~ /\[debug\]/ ? 1 : 0, $debug ? 1 : 0, 'the log is at debug');
    is(join(' ', grep { index($text, $_) >= 0 } @secrets), '',
       'no message of a variable\'s evaluation has a secret');
}

# -- no trace of any

{
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my ($app, $old, $new, $log) = map { canary() } 1 .. 4;

    secret("$prefix/conf/app-id", $app);
    secret("$prefix/conf/api-key", $old);
    secret("$prefix/conf/log-key", $log);

    my $dead = 'http://127.0.0.1:' . KTP::Nginx::free_port();

    $nginx->start(conf($nginx, <<EOC, server => <<EOS, main => <<EOM))
        ktp_zone k:1m;
        ktp_app_id file:app-id;
        ktp_api_key file:api-key;
        ktp_log_key file:log-key;
        log_format all '\$request \$status \$ktp_outcome \$ktp_image_hmac '
                       '\$ktp_nik_hmac \$ktp_upstream_addr \$sent_http_api_key';
        access_log $prefix/logs/all.log all;
EOC
        location = /dead { ktp_pass $dead/x; }
        location = /page { ktp_pass $dead/x; error_page 502 /own; }
        location = /own { return 200 "\$ktp_outcome \$http_api_key"; }
        location = /status { ktp_status; }
EOS
worker_rlimit_core 4096m;
working_directory $prefix;
EOM
        or BAIL_OUT($nginx->complaint);

    is(key_sent($nginx), $old, 'the upstream gets the key');

    my $base = 'http://127.0.0.1:' . $nginx->port;
    my @image = ('-H', 'Content-Type: image/jpeg', '--data-binary',
                 "\@$prefix/image");
    my $seen = join "\n", map { "$_->{head}$_->{body}" }
               post($nginx), map({ KTP::Nginx::curl("$base$_", @image) }
                                 qw(/dead /page /nothing)),
               KTP::Nginx::curl("$base/status"),
               KTP::Nginx::curl("$base/status?format=json"),
               KTP::Nginx::curl("$base/e");

    # an upstream that gives back what it got is no leak of ours; it does not

    secret("$prefix/conf/api-key", $new);
    ok(key_becomes($nginx, $new), 'and the new one when it has changed');

    # a call is under way when the worker dies
    $upstream->reset;
    $upstream->answer({hang => 1});
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);
    print $sock "POST /e HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
              . 'Content-Length: ' . length($jpeg) . "\r\n\r\n$jpeg";
    $sock->flush;
    ok($upstream->wait_calls(1), 'a call is under way');

    my ($worker) = $nginx->workers;
    my $core = core_of($nginx, $worker);

    SKIP: {
        skip 'no core dump to be had here', 3 unless $core;

        ok(-s $core > 1_000_000, 'a core dump');

        # that it is one of the worker: the path of a file is in it
        is(join(' ', found($core, "$prefix/conf/api-key")),
           "$prefix/conf/api-key", 'of the worker');
        is(join(' ', found($core, @canaries)), '', 'with none of the secrets');
        unlink $core;
    }

    $nginx->stop;
    unlink "$prefix/conf/$_" for qw(app-id api-key log-key);

    my @traces;
    File::Find::find({ no_chdir => 1, wanted => sub {
        push @traces, "$_: @{[ found($_, @canaries) ]}"
            if -f && found($_, @canaries);
    }}, $prefix);

    is("@traces", '', 'no secret in any file: logs at debug, temporary files');
    like(KTP::Nginx::read_file("$prefix/logs/error.log"), qr/\[debug\]/,
         'which are at debug');
    is(join(' ', grep { index($seen, $_) >= 0 } @canaries), '',
       'nor in a page or a metric');
}

done_testing();


# The words of a list that a file has.
sub found {
    my ($file, @words) = @_;

    my $pattern = join '|', map { quotemeta } @words;
    my %found;

    open my $in, '<:raw', $file or die "$file: $!\n";

    my ($data, $keep) = ('', '');
    while (read $in, $data, 1 << 22) {
        $data = $keep . $data;
        $found{$1}++ while $data =~ /($pattern)/g;
        $keep = substr $data, -200;
    }

    return sort keys %found;
}


# A core dump of a process, which ends by it; undef where none is made.
sub core_of {
    my ($nginx, $pid) = @_;

    my $pattern = KTP::Nginx::read_file('/proc/sys/kernel/core_pattern');

    return undef if $pattern !~ m{^core$}m || $KTP::Nginx::Variant eq 'asan'
                    || $KTP::Nginx::Valgrind;

    kill 'ABRT', $pid;
    return undef unless $nginx->wait_log(qr/$pid exited on signal 6/);

    my ($file) = grep { -s } glob $nginx->prefix . '/core*';
    return $file;
}
