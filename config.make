# Rules of nginx's Makefile in addition to those of "config": the page of
# "ktp_console" is compiled into the module.

ktp_console=$ngx_addon_dir/src/gateway/console
ktp_page=$NGX_OBJS/ngx_http_ktp_console_page.h

cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/console/ngx_http_ktp_console.o:	$ktp_page

$ktp_page:	$ktp_console/page.awk $ktp_console/console.html \\
	$ktp_console/console.css $ktp_console/console.js
	awk -f $ktp_console/page.awk $ktp_console/console.html \\
		$ktp_console/console.css $ktp_console/console.js > $ktp_page.new
	mv $ktp_page.new $ktp_page

END
