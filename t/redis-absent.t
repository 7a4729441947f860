# A module that was built without hiredis: the objects of the build, of which
# those that know it are compiled again as "config" has them if it is absent.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Cwd qw(getcwd);
use Test::More;

my $root = getcwd;
my $build = KTP::Nginx::build_dir();
my $dir = KTP::Nginx::scratch_dir();
my $source = $ENV{NGINX_SRC} || '/usr/share/nginx/src';

plan skip_all => 'the objects of this variant need more libraries'
    if $KTP::Nginx::Variant ne 'release';
plan skip_all => "no $source" unless -d $source;

my $makefile = KTP::Nginx::read_file("$build/nginx/Makefile");
my ($flags) = $makefile =~ /^CFLAGS = *(.*)/m;
my ($incs) = $makefile =~ /^ALL_INCS = ((?:.*\\\n)*.*)/m;

$incs =~ s/\\\n/ /g;

my %again = (
    ngx_http_ktp_redis_conf   => 'src/gateway/conf',
    ngx_http_ktp_redis_reader => 'src/gateway/fleet',
);

for my $name (sort keys %again) {
    is(system("cd $source && cc -c -fPIC $flags -DNGX_HTTP_KTP_HIREDIS=0 $incs "
              . "-o $dir/$name.o $root/$again{$name}/$name.c"),
       0, "$name is compiled");
}

my @objects = grep { my ($name) = m{([^/]+)\.o$}; !$again{$name} }
              glob "$build/nginx/addon/*/*.o";

is(system("cc -shared -o $dir/ngx_http_ktp_module.so @objects $dir/*.o "
          . "$build/nginx/ngx_http_ktp_module_modules.o "
          . '-lcurl -lyajl -lssl -lcrypto'), 0, 'the module is linked');
is(() = `nm -D --undefined-only $dir/ngx_http_ktp_module.so` =~ / redis\w+$/mg,
   0, 'without hiredis');

my $nginx = KTP::Nginx->new;
my %opt = (main => "load_module $dir/ngx_http_ktp_module.so;",
           server => 'location = /x { ktp_pass http://127.0.0.1:1/x; }');

my ($status, $said) = $nginx->test($nginx->config(%opt,
    http => 'ktp_zone k:1m; ktp_redis 127.0.0.1;'));

isnt($status, 0, 'ktp_redis is refused');
like($said, qr/"ktp_redis" directive is not supported, the module was built without hiredis/,
     'with the reason');

($status, $said) = $nginx->test($nginx->config(%opt, http => 'ktp_zone k:1m;'));
is($status, 0, 'all else is there') or diag($said);

done_testing();
