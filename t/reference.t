# Every directive and variable of the module is in the reference, each with
# the contexts that the code has, and in a test.

use strict;
use warnings;

use lib 't/lib';
use File::Basename qw(basename);
use KTP ();
use KTP::Nginx;
use Test::More;

my $self = basename(__FILE__);
my $reference = KTP::Nginx::read_file('docs/reference.md');
my $tests = join '', map { KTP::Nginx::read_file($_) }
                     grep { basename($_) ne $self } glob 't/*.t';

my %contexts = (MAIN => 'http', SRV => 'server', LOC => 'location');
my $code = KTP::Nginx::read_file('ngx_http_ktp_module.c');
my $directives = 0;

while ($code =~ /ngx_string\("(ktp_\w+)"\),\s+(NGX_HTTP_[A-Z0-9_|\s]+),/g) {
    my ($name, $flags) = ($1, $2);
    my @want = map { $contexts{$_} } $flags =~ /NGX_HTTP_([A-Z]+)_CONF/g;
    my ($section) = $reference
        =~ /^### [^\n]*\b$name\b[^\n]*\n(.*?)(?=^##|\z)/ms;
    my ($has) = ($section // '') =~ /^\| Context: \| ([^|]*?) \|/m;

    $directives++;
    ok(defined $section, "$name has a section in the reference");
    is($has, join(', ', @want), "$name: its contexts");
    like($section // '', qr/^\| Syntax: \| `[^\n]*\b$name\b/m,
         "$name: its syntax");
    like($section // '', qr/^\| Default: \| \S/m, "$name: its default");
    ok($tests =~ /\b$name\b/, "$name is in a test");
}

cmp_ok($directives, '>', 10, 'the table of directives was found');

my $variables = 0;
my $source = join '', map { KTP::Nginx::read_file($_) }
                      'ngx_http_ktp_module.c', glob 'src/gateway/*/*.c';

while ($source =~ /\bngx_http_ktp_var\("(ktp_\w+)"/g) {
    $variables++;

    my $name = $1;

    ok($reference =~ /`\$$name`/, "\$$name is in the reference");
    ok($tests =~ /\$$name\b/, "\$$name is in a test");
}

cmp_ok($variables, '>', 10, 'the table of variables was found');

done_testing();
