// The gateway's work in njs: the file's base64 as JSON to the upstream.

async function forward(r, location) {
    var body = '{"image":"' + r.requestBuffer.toString('base64') + '"}';
    var reply = await r.subrequest(location, {method: 'POST', body: body});

    r.headersOut['Content-Type'] = 'application/json';
    r.return(reply.status, reply.responseText);
}

function http(r) {
    return forward(r, '/upstream/http');
}

function https(r) {
    return forward(r, '/upstream/https');
}

export default {http, https};
