# ktp_breaker with "fleet": the script, src/gateway/fleet/breaker.lua, on a
# redis-server, with late and doubled operations; then two nginx that share it,
# over outages of either; and servers that answer as no Redis does.
#
# Each part has an upstream name of its own, and so a breaker.

use strict;
use warnings;

use Digest::SHA qw(sha1_hex);
use lib 't/lib';
use KTP ();
use KTP::Client qw(post post_begin answer_of);
use KTP::FakeRedis;
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $up = KTP::Upstream->new;
my $url = $up->url;
my $image = jpeg(800, 600);
my $redis = KTP::Redis->new;
my $address = 'unix:' . $redis->path;
my $file = KTP::Nginx::scratch_dir() . '/go';

my $bad = KTP::Upstream::response('503 Unavailable', '{"message":"down"}');
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my %states = (0 => 'closed', 1 => 'half-open', 2 => 'open');


# -- the script

my $script = KTP::Nginx::read_file('src/gateway/fleet/breaker.lua');
my $sha = $redis->command('SCRIPT', 'LOAD', $script);
my $channel = $redis->client;
my ($key, $hash);

like($sha, qr/^[0-9a-f]{40}$/, 'the script is loaded');
$channel->command('SUBSCRIBE', 'ktp:{breaker}');

# a breaker of its own for the next lines
sub breaker {
    $hash = sha1_hex($_[0]);
    $key = "ktp:{breaker}:$hash";
}

sub run {
    my ($what, $host, $opening, $ms, $again) = @_;

    my $reply = $redis->command('EVALSHA', $sha, 1, $key, $what, $host,
                                $opening, $ms // 0, $again // 0);

    return ref $reply eq 'ARRAY' ? @$reply : $reply->{text};
}

# what was published since; the channel is in order, so a mark ends it
sub published {
    my @texts;

    $redis->command('PUBLISH', 'ktp:{breaker}', 'mark');

    while ((my $text = $channel->receive->[2]) ne 'mark') {
        push @texts, $text =~ s/^\Q$hash\E //r;
    }

    return @texts;
}

# a time that is left: at most that, and no hour less
sub within {
    my ($left, $ms, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($left <= $ms && $left > $ms - 3_600_000, $name) or diag("$left of $ms");
}

my $day = 86_400_000;
my $half = $day / 2;

breaker('order');
is_deeply([run('read', 'a', 0)], ['closed', 0, 0, 0], 'nothing is known');
is($redis->command('EXISTS', $key), 0, '... and reading writes nothing');

my ($state, $first, $left, $again) = run('open', 'a', 0, $half, 3);
is("$state $again", 'open 3', 'a host opens it');
cmp_ok($first, '>', 1.7e12, 'the number is a time');
within($left, $half, 'its end');
like(join(';', published()), qr/^open $first \d+ 3$/, 'which is published');
within($redis->command('PTTL', $key), $half + $day, 'a record has its own end');

is((run('open', 'a', 0, 1, 9))[1], $first, 'a doubled "open"');
is((run('open', 'b', 0, 1, 9))[1], $first, 'and that of another host');
($state, undef, $left, $again) = run('read', 'b', 0);
is("$state $again", 'open 3', '... change nothing');
within($left, $half, '... nor the end');
is(join(';', published()), '', '... and are not published');

($state, undef, $left) = run('try', 'a', $first, 1000);
is($state, 'granted', 'the right to try, before the end');
within($left, $half + 1000, '... lasts beyond it');
is((run('try', 'a', $first, 1000))[0], 'granted', 'a doubled "try"');
is((run('try', 'b', $first, 1000))[0], 'half-open', 'another host');
is((run('try', 'b', $first - 1, 1000))[0], 'open', '... that is late');
is((run('try', 'b', $first + 1, 1000))[0], 'open', '... that knows too much');

($state, my $second) = run('open', 'a', $first, $half, 4);
is($state, 'open', 'the trial has failed');
cmp_ok($second, '>', $first, 'which is another opening');
is((run('open', 'a', $first, 1, 9))[1], $second, '... doubled');
is((run('close', 'b', $first))[0], 'open', 'a late success');
is((run('try', 'b', $second, 1000))[0], 'granted', 'another host tries');
is((run('open', 'a', $first, 1, 9))[1], $second, 'a late failure');
like(join(';', published()), qr/^open $second \d+ 4$/, 'one is published');

is_deeply([run('close', 'b', $second)], ['closed', $second, 0, 0],
          'the trial succeeds');
is_deeply([run('close', 'b', $second)], ['closed', $second, 0, 0], '... doubled');
is(join(';', published()), "closed $second 0 0", 'published once');
is_deeply([run('try', 'a', $second, 1000)], ['closed', $second, 0, 0],
          'nothing to try');
is((run('open', 'a', $first, 1, 9))[0], 'closed', 'a late "open"');

(undef, my $third) = run('open', 'a', $second, 1, 1);
cmp_ok($third, '>', $second, 'it opens again');
like(join(';', published()), qr/^open $third \d+ 1$/, '... which is published');
ok(KTP::Nginx::wait_for(sub { (run('read', 'a', 0))[2] == 0 }), 'its time passes');
is((run('try', 'a', $third, $day))[0], 'granted', 'the right is given');
($state, undef, $left) = run('read', 'c', 0);
is($state, 'half-open', 'which others see');
within($left, $day, 'and until when');
is((run('try', 'a', $third, 1))[0], 'granted', 'it is given back');
ok(KTP::Nginx::wait_for(sub { (run('try', 'b', $third, 1))[0] eq 'granted' }),
   '... to another');

breaker('lost');
($state, $first) = run('try', 'a', 7, 1000, 2);
is($state, 'granted', 'a try without a record');
cmp_ok($first, '>', 7, '... makes one');
is((run('try', 'b', 7, 1000))[0], 'half-open', '... for one host');
$redis->command('DEL', $key);
is_deeply([run('close', 'a', $first)], ['closed', $first, 0, 0],
          'a success without a record');
is(join(';', published()), "closed $first 0 0", '... is published');
my $future = '9000000000000000';
is((run('open', 'a', $future, 1000))[1], $future + 1,
   'a number beyond the clock is followed by the next');
$redis->command('SET', $key, 'x');
is((run('read', 'a', 0))[0], 'closed', 'a damaged record is none');

for (['read', "a\n", 0, 0, 0], ['write', 'a', 0, 0, 0], ['read', 'a', -1, 0, 0],
     ['read', 'a', '1e3', 0, 0], ['open', 'a', 0, $day + 1, 0],
     ['open', 'a', '9007199254740993', 0, 0]) {
    like($redis->command('EVALSHA', $sha, 1, $key, @$_)->{text},
         qr/^ERR breaker: ARGV/, "refused: @$_[0, 2, 3]");
}

like($redis->command('EVALSHA', $sha, 1, 'ktp:order')->{text},
     qr/^ERR breaker: KEYS/, 'and another key');
$redis->command('DEL', $key);
$redis->command('LPUSH', $key, 1);
like((run('read', 'a', 0))[0], qr/^ERR breaker: KEYS\[1\]: WRONGTYPE/, 'its type');


# -- two hosts

my $refused = KTP::Nginx::free_port();
my $workers = 2;

# the clocks of the hosts are put forward for these
my $time = 1_000_000;
my $rule = "failures=3 window=10h open=${time}ms max=${time}ms";

sub config {
    my ($nginx, $host, $where) = @_;

    return $nginx->config(
        log_level => 'info', master => 'on', workers => $workers,
        main => KTP::load_module(), http => <<"EOC", server => <<"EOS");
    ktp_zone k:1m;
    ktp_redis $where host=$host timeout=5s;
    log_format breaker '\$uri \$status \$ktp_error_reason \$ktp_breaker';
    access_log $nginx->{prefix}/logs/access.log breaker;
    ktp_timeout 10h;
    ktp_read_timeout 10h;
EOC
        ktp_breaker $rule fleet;
        location = /opens { ktp_pass $url/opens?secret=s; }
        location = /fails { ktp_pass $url/fails; }
        location = /leaves { ktp_pass $url/leaves; }
        location = /away { ktp_pass $url/away; }
        location = /alone { ktp_pass $url/alone; }
        location = /rights { ktp_pass $url/rights; }
        location = /starts { ktp_pass $url/starts; }
        location = /own { ktp_pass $url/own; ktp_breaker $rule; }
        location = /idle {
            ktp_pass $url/idle;
            ktp_breaker failures=3 window=10h open=100ms max=100ms fleet;
        }
        location = /killed {
            ktp_pass $url/killed;
            ktp_breaker failures=3 window=10h open=100ms max=100ms fleet;
            ktp_timeout 2s;
            ktp_read_timeout 2s;
        }
        location = /status { access_log off; ktp_status; }
EOS
}

sub start {
    my ($host, $where, %opt) = @_;

    my $nginx = KTP::Nginx->new(late => $opt{late} // 1);

    $nginx->start(config($nginx, $host, $where || $address))
        or BAIL_OUT($nginx->complaint);
    KTP::Nginx::wait_for(sub { $nginx->workers == $workers });

    return $nginx;
}

# Workers that listen to the channel.
sub listeners {
    my ($n) = @_;

    return KTP::Nginx::wait_for(sub {
        $redis->command('PUBSUB', 'NUMSUB', 'ktp:{breaker}')->[1] == $n
    });
}

my @headers = 'Content-Type: image/jpeg';

sub ask    { return post($_[0]->port, "/$_[1]", $image, @headers) }
sub status { return ask(@_)->{status} }

sub metric {
    my ($nginx, $name, $of) = @_;

    my $page = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/status');

    return ($page->{body} =~ /^\Q$name\E\{upstream="\Q$url\/$of\E"\} (\S+)$/m)[0];
}

sub state  { return $states{ metric($_[0], 'ktp_breaker_state', $_[1]) // '' } }
sub opened { return metric($_[0], 'ktp_breaker_opened_total', $_[1]) }

sub becomes {
    my ($nginx, $name, $state, $why) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(KTP::Nginx::wait_for(sub { state($nginx, $name) eq $state }), $why)
        or diag(state($nginx, $name));
}

# Opens the breaker of a host by its own failures.
sub break {
    my ($nginx, $name) = @_;

    $up->answer($bad);
    is(status($nginx, $name), 503, "$name: failure $_") for 1 .. 3;
    isnt(state($nginx, $name), 'closed', "$name: open");
    $up->reset;
}

# Requests at the hosts in turn until one is answered: which one that is.
sub until_answered {
    my ($name, @nginx) = @_;
    my $answered;

    KTP::Nginx::wait_for(sub {
        ($answered) = grep { status($nginx[$_], $name) == 200 } 0 .. $#nginx;
        defined $answered;
    });

    return $answered;
}

my ($one, $two) = (start('a'), start('b'));

ok(listeners(2 * $workers + 1), 'all workers listen');

# one opens, the other opens

break($one, 'opens');
becomes($two, 'opens', 'open', 'the other host is open too');
is(opened($_, 'opens'), 1, 'which is counted on each') for $one, $two;
like($two->log_from(0),
     qr/\[warn\] .*breaker of upstream "\Q$url\E\/opens" is open, that of another host has opened, \d+ms are left/,
     'and logged once') ;
is(() = $two->log_from(0) =~ /that of another host has opened/g, 1, '... by one worker');
unlike($one->log_from(0), qr/another host/, '... and not where it began');
my $answer = ask($two, 'opens');
is($answer->{status}, 503, 'a request there');
like($answer->{body}, qr/"reason":"breaker_open"/, 'is told why');
my ($wait) = $answer->{head} =~ /^Retry-After: (\d+)\r?$/m;
cmp_ok($wait, '>', 0.8 * $time / 1000 - 3600, 'and for how long');
is(scalar $up->calls, 0, 'no call is made');
ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::read_file("$two->{prefix}/logs/access.log")
        =~ m{^/opens 503 breaker_open open$}m
}), 'the variable');
is(state($two, 'fails'), 'closed', 'other upstreams are not affected');

my ($dump) = grep { /:/ } @{ $redis->command('KEYS', '*' . sha1_hex("$url/opens")) };
is($dump, 'ktp:{breaker}:' . sha1_hex("$url/opens"), 'the key has a hash');
unlike($redis->command('GET', $dump) . $dump, qr/secret|127\.0\.0\.1/,
       'nothing says which upstream it is');

# a breaker without "fleet"

break($one, 'own');
is(state($two, 'own'), 'closed', 'a breaker of the host');

# one trial over both

my $before = $redis->info('commandstats')->{cmdstat_evalsha} =~ /calls=(\d+)/ ? $1 : 0;
status($_, 'opens') for ($one, $two) x 5;
is(($redis->info('commandstats')->{cmdstat_evalsha} =~ /calls=(\d+)/)[0], $before,
   'no command while it is open');

$_->pass($time) for $one, $two;
becomes($_, 'opens', 'half-open', 'the time is over') for $one, $two;
unlink $file;
$up->reset;
$up->answer({until => $file}, $good);

my @calls;
ok(KTP::Nginx::wait_for(sub {
    push @calls, map { post_begin($_->port, '/opens', $image, @headers) } $one, $two;
    print { $_->{sock} } $_->{out} and $_->{out} = '' for @calls[-2, -1];
    $up->wait_calls(0) && scalar $up->calls;
}), 'a trial begins');
push @calls, map { post_begin($_->port, '/opens', $image, @headers) } ($one, $two) x 10;
my $set = IO::Select->new(map { $_->{sock} } @calls);

for (grep { $_->{out} ne '' } @calls) {
    print { $_->{sock} } $_->{out};
    $_->{out} = '';
}

ok(KTP::Nginx::wait_for(sub { @calls - 1 == (() = $set->can_read(0)) }),
   'all others are answered');
is(scalar $up->calls, 1, 'one call is made');
my %ready = map { $_ => 1 } $set->can_read(0);
is(scalar(grep { $ready{ $_->{sock} } && answer_of($_)->{status} != 503 } @calls),
   0, 'the others are refused');
KTP::Nginx::write_file($file, '');
is(answer_of($_)->{status}, 200, 'the trial succeeds')
    for grep { !$ready{ $_->{sock} } } @calls;

# both are closed

becomes($_, 'opens', 'closed', 'closed') for $one, $two;
$up->reset;
is(status($_, 'opens'), 200, 'calls are made') for ($one, $two) x 2;
is(scalar(grep { $_->log_from(0) =~ /is closed, the call was answered/ } $one, $two), 1,
   'one host says that its call was answered');
is(scalar(grep { $_->log_from(0) =~ /is closed, a call of another host was answered/ } $one, $two),
   1, 'the other that it was not its own');

# a trial that fails

break($two, 'fails');
becomes($one, 'fails', 'open', 'fails: the other host');
$_->pass($time) for $one, $two;
$up->answer($bad);
ok(KTP::Nginx::wait_for(sub {
    status($_, 'fails') for $one, $two;
    scalar $up->calls;
}), 'fails: a trial');
becomes($_, 'fails', 'open', 'fails: open again') for $one, $two;
ok(KTP::Nginx::wait_for(sub { opened($_, 'fails') == 2 }), '... on each') for $one, $two;
is(scalar $up->calls, 1, '... after one call');

# a trial whose client leaves

break($one, 'leaves');
becomes($two, 'leaves', 'open', 'leaves: the other host');
$_->pass($time) for $one, $two;
$up->answer({hang => 1});
my $call;
ok(KTP::Nginx::wait_for(sub {
    $call = post_begin($one->port, '/leaves', $image, @headers);
    print { $call->{sock} } $call->{out};
    KTP::Nginx::wait_for(sub { scalar($up->calls)
                               || IO::Select->new($call->{sock})->can_read(0) });
    scalar $up->calls;
}), 'leaves: a trial');
close $call->{sock};
ok($one->wait_log(qr/leaves" stays half-open/), '... whose client leaves');
$up->answer($good);
is(until_answered('leaves', $one), 0, '... and then another');
becomes($two, 'leaves', 'closed', '... closes all');

# the host that has the right makes no call

break($one, 'idle');
becomes($two, 'idle', 'half-open', 'idle: its time is over');
is(status($one, 'idle'), 503, 'one host asks for the right');
is(until_answered('idle', $two), 0, 'the other gets it in the end');
becomes($one, 'idle', 'closed', 'and closes both');

# the host that tries is killed

my ($c) = start('c');
ok(listeners(3 * $workers + 1), 'a third host');
break($one, 'killed');
becomes($c, 'killed', 'half-open', 'killed: its time is over');
$up->answer({hang => 1});
ok(KTP::Nginx::wait_for(sub {
    $call = post_begin($c->port, '/killed', $image, @headers);
    print { $call->{sock} } $call->{out};
    KTP::Nginx::wait_for(sub { scalar($up->calls)
                               || IO::Select->new($call->{sock})->can_read(0) });
    scalar $up->calls;
}), 'killed: a trial');
kill 'KILL', $c->pid, $c->workers;
$c->stop;
$up->answer($good);
ok(defined until_answered('killed', $one, $two), 'another host tries in the end');
becomes($_, 'killed', 'closed', 'closed') for $one, $two;
ok(listeners(2 * $workers + 1), 'two hosts are left');

# a host that starts reads the state

break($one, 'starts');
$c = start('c');
becomes($c, 'starts', 'open', 'a host that starts is open');
is(status($c, 'starts'), 503, '... and makes no call');
$c->stop;

# the rights that the documentation asks for

my ($rights) = KTP::Nginx::read_file('docs/fleet.md')
    =~ /^    user ktp (on >PASSWORD .*)$/m or die;
my $password = KTP::Nginx::scratch_dir() . '/password';

KTP::Nginx::write_file($password, "PASSWORD\n");
chmod 0600, $password;
is($redis->command('ACL', 'SETUSER', 'ktp', split / /, $rights), 'OK', 'a user');
$c = start('c', "$address user=ktp password=file:$password");
ok(listeners(3 * $workers + 1), 'its workers listen');
break($c, 'rights');
becomes($one, 'rights', 'open', 'what it says is heard');
$_->pass($time) for $c, $one, $two;
is(until_answered('rights', $c), 0, 'it may try');
becomes($one, 'rights', 'closed', 'and close');
unlike($c->log_from(0), qr/\[error\] .*redis/, 'nothing is refused');
$c->stop;

# Redis is killed while it is open

break($one, 'away');
becomes($two, 'away', 'open', 'away: both are open');
$redis->stop('KILL');
ok($_->wait_log(qr/fleet is not reachable/), 'Redis is gone') for $one, $two;
is(status($_, 'away'), 503, 'away: refused') for $one, $two;
$_->pass($time) for $one, $two;
$up->answer($good);
is(status($_, 'away'), 200, 'each host tries by its own time') for $one, $two;
is(state($_, 'away'), 'closed', 'and closes') for $one, $two;

# opened meanwhile: known when it is back

break($one, 'alone');
is(state($two, 'alone'), 'closed', 'alone: without Redis, one host');
$redis->start;
becomes($two, 'alone', 'open', 'all, when Redis is back');
$_->pass($time) for $one, $two;
ok(defined until_answered('alone', $one, $two), 'a trial');
becomes($_, 'alone', 'closed', 'closes all') for $one, $two;

# Redis hangs

ok(listeners(2 * $workers), 'all listen again');
break($two, 'away');
becomes($one, 'away', 'open', 'without its old data, Redis is of use');
kill 'STOP', $redis->pid;
$_->pass($time) for $one, $two;
is(until_answered('away', $one), 0, 'Redis says nothing: the host tries');
kill 'CONT', $redis->pid;

for ($one, $two) {
    unlike($_->log_from(0), qr/\[(?:alert|crit|emerg)\]/, 'no alert');
    unlike($_->log_from(0), qr/secret/, 'no arguments in the log');
    $_->stop('QUIT');
}


# -- servers that answer as no Redis does

# the words of the next command
sub command {
    my ($sock) = @_;

    my ($n) = (readline($sock) // return) =~ /^\*(\d+)/;

    return map {
        my ($size) = readline($sock) =~ /^\$(\d+)/;
        read $sock, my $word, $size + 2;
        substr $word, 0, $size;
    } 1 .. $n;
}

sub bulk { return '$' . length($_[0]) . "\r\n$_[0]\r\n" }

$rule = 'failures=3 window=10h open=1s max=1s';

my $name = sha1_hex("$url/opens");

# One worker: what it said of messages, or of an error, does not keep it from
# saying what it finds in a reply.
$workers = 1;

for (['an error', "-OOM no memory\r\n", 'error "OOM"'],
     ['NOSCRIPT forever', "-NOSCRIPT no script\r\n", 'error "NOSCRIPT"'],
     ['an error, then a number', ["-OOM no memory\r\n", ":1\r\n"],
      'error "OOM"', 'unexpected values ""'],
     ['nil', "\$-1\r\n"],
     ['a number', ":1\r\n"],
     ['too few values', "*3\r\n" . bulk('open') . ":1\r\n:1\r\n"],
     ['another state', "*4\r\n" . bulk('ajar') . ":1\r\n:1\r\n:1\r\n"],
     ['texts', "*4\r\n" . bulk('open') . bulk(1) x 3],
     ['negative numbers', "*4\r\n" . bulk('open') . ":-1\r\n:-1\r\n:-1\r\n"],
     ['two days', "*4\r\n" . bulk('open') . ":9\r\n:172800000\r\n:1\r\n"],
     ['the end of time', "*4\r\n" . bulk('open')
                         . ":9\r\n:9223372036854775807\r\n:1\r\n"],
     ['an old opening', "*4\r\n" . bulk('open') . ":0\r\n:86400000\r\n:1\r\n",
      undef],
     ['closed', "*4\r\n" . bulk('closed') . ":0\r\n:0\r\n:0\r\n", undef]) {
    my ($what, $says, @logged) = @$_;

    # undef: the reply is in order
    @logged = map "$_ in reply to",
                  @logged ? grep defined, @logged : 'unexpected values ""';

    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;
        my @says = ref $says ? @$says : $says;

        while (my @words = command($sock)) {
            $self->note('commands', "$words[0]\n");

            print $sock $words[0] eq 'PING' ? "+PONG\r\n"
                      : $words[0] ne 'SUBSCRIBE'
                      ? (@says > 1 ? shift @says : $says[0])
                      : "*3\r\n" . bulk('subscribe') . bulk($words[1]) . ":1\r\n"
                        . join '', map {
                            "*3\r\n" . bulk('message') . bulk($words[1]) . bulk($_)
                          } '', ' ', 'x', "$name open", "$name open 1 2 3 4",
                            "$name granted 9 9 9", "$name open 9 172800000 1",
                            "$name open 99999999999999999999 1 1",
                            "$name open -1 1 1", 'x open 9 9 9',
                            "$name ajar 9 9 9", "$name\0 open 9 9 9";
        }
    });

    my $nginx = start('a', $fake->address, late => 0);
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/\[error\] .*redis ".*": $_ breaker$/m), "$what: $_")
        for @logged, 'unexpected message "" about';
    is(state($nginx, 'opens'), 'closed', "$what: it is closed");
    break($nginx, 'opens');
    is(until_answered('opens', $nginx), 0, "$what: it comes back by its own time");
    is_deeply([sort $nginx->workers], [sort @pids], "$what: the same workers");
    $nginx->stop('QUIT');
    unlike($nginx->log_from(0), qr{\[(?:alert|crit|emerg)\]}, "$what: no alert");
}

# a fleet that says that it is open, and no more
{
    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;
        my $n = 100;

        while (my @words = command($sock)) {
            print $sock $words[0] eq 'PING' ? "+PONG\r\n"
                      : $words[0] eq 'SUBSCRIBE'
                      ? "*3\r\n" . bulk('subscribe') . bulk($words[1]) . ":1\r\n"
                      : "*4\r\n" . bulk('open') . ":100\r\n:86400000\r\n:1\r\n";
        }
    });

    my $nginx = start('a', $fake->address);

    becomes($nginx, 'opens', 'open', 'what the fleet says');
    $nginx->pass(86_400_000);
    $up->answer($good);
    is(until_answered('opens', $nginx), 0, '... holds for a day at most');
    is(state($nginx, 'opens'), 'closed', '... and is closed by the host itself');
    $nginx->stop('QUIT');
}


# -- nginx -t

my $nginx = KTP::Nginx->new;
my ($rc, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(),
    http => 'ktp_zone k:1m; ktp_breaker failures=3 fleet;',
    server => "location = /x { ktp_pass $url/x; }"));
isnt($rc, 0, '"fleet" needs Redis');
like($said, qr{"fleet" of "ktp_breaker" in location "/x" requires "ktp_redis", in },
     'which nginx -t says');

(undef, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(),
    http => 'ktp_zone k:1m; ktp_breaker failures=3 fleet fleet;'));
like($said, qr/invalid parameter "fleet" in "ktp_breaker" directive/, 'twice');

(undef, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(),
    http => 'ktp_zone k:1m; ktp_breaker fleet;'));
like($said, qr/invalid parameter "fleet" in "ktp_breaker" directive, it must be "off", or "failures=NUMBER"/,
     'alone');

is(KTP::Nginx::reports(), '', 'no sanitizer report');

done_testing();
