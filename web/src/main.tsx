// The console's start: who is signed in, then the page of the URL.
import { render } from 'preact';
import { useErrorBoundary, useRef } from 'preact/hooks';
import { Frame } from './frame.tsx';
import { t } from './i18n.ts';
import { later } from './later.tsx';
import { Login } from './pages/login.tsx';
import { Message } from './pages/message.tsx';
import { Messages } from './pages/messages.tsx';
import { Overview } from './pages/overview.tsx';
import { Search } from './pages/search.tsx';
import { Templates } from './pages/templates.tsx';
import { RefusedPage } from './pages/refused.tsx';
import { TrafficPage } from './pages/traffic.tsx';
import { backToPlace, go, isHeld, parts, path } from './route.tsx';
import { readSession, session, signedIn } from './state.ts';
import { Button, Card, Empty, Page } from './ui.tsx';
import './style.css';
import './timed.css';

const Account = later(() => import('./pages/account.tsx').then((m) => m.Account));
const Audit = later(() => import('./pages/audit.tsx').then((m) => m.Audit));
const Campaign = later(() => import('./pages/campaign.tsx').then((m) => m.Campaign));
const CampaignNew = later(() => import('./pages/campaign-new.tsx').then((m) => m.CampaignNew));
const Campaigns = later(() => import('./pages/campaigns.tsx').then((m) => m.Campaigns));
const Dlq = later(() => import('./pages/dlq.tsx').then((m) => m.Dlq));
const EndpointPage = later(() => import('./pages/endpoint.tsx').then((m) => m.EndpointPage));
const Endpoints = later(() => import('./pages/endpoints.tsx').then((m) => m.Endpoints));
const Help = later(() => import('./pages/help.tsx').then((m) => m.Help));
const InboxPage = later(() => import('./pages/inbox.tsx').then((m) => m.InboxPage));
const NewAccount = later(() => import('./pages/providers.tsx').then((m) => m.NewAccount));
const Providers = later(() => import('./pages/providers.tsx').then((m) => m.Providers));
const Recipes = later(() => import('./pages/recipes.tsx').then((m) => m.Recipes));
const Redrive = later(() => import('./pages/redrive.tsx').then((m) => m.Redrive));
const RoutePage = later(() => import('./pages/routes.tsx').then((m) => m.RoutePage));
const Routes = later(() => import('./pages/routes.tsx').then((m) => m.Routes));
const ScheduleEdit = later(() => import('./pages/schedule-edit.tsx').then((m) => m.ScheduleEdit));
const SchedulePage = later(() => import('./pages/schedule.tsx').then((m) => m.SchedulePage));
const Send = later(() => import('./pages/send.tsx').then((m) => m.Send));
const Settings = later(() => import('./pages/settings.tsx').then((m) => m.Settings));
const Suppressions = later(() => import('./pages/suppressions.tsx').then((m) => m.Suppressions));
const TemplatePage = later(() => import('./pages/template.tsx').then((m) => m.TemplatePage));
const TenantPage = later(() => import('./pages/tenants.tsx').then((m) => m.TenantPage));
const Tenants = later(() => import('./pages/tenants.tsx').then((m) => m.Tenants));
const Throttles = later(() => import('./pages/throttles.tsx').then((m) => m.Throttles));
const Users = later(() => import('./pages/users.tsx').then((m) => m.Users));

function Current() {
  const [page = '', a = '', b = '', c = ''] = parts.value;
  switch (page) {
    case '': return <Overview />;
    case 'search': return <Search />;
    case 'messages': return a ? <Message key={a} id={a} /> : <Messages />;
    case 'send': return <Send />;
    case 'campaigns': return a === 'new' ? <CampaignNew /> : a ? <Campaign key={a} id={a} /> : <Campaigns />;
    case 'schedules':
      if (a === 'new' || c === 'edit') return <ScheduleEdit key={a + '/' + b} tenant={b && a} name={b} />;
      return b ? <SchedulePage key={a + '/' + b} tenant={a} name={b} /> : <Campaigns />;
    case 'templates': return b || a === 'new' ? <TemplatePage key={a + '/' + b} tenant={b && a} name={b} /> : <Templates />;
    case 'providers': return a === 'new' ? <NewAccount /> : a === 'recipes' ? <Recipes /> : a ? <Account key={a} name={a} /> : <Providers />;
    case 'routes': return a ? <RoutePage key={a} name={a === 'new' ? '' : a} /> : <Routes />;
    case 'tenants': return a ? <TenantPage key={a} name={a === 'new' ? '' : a} /> : <Tenants />;
    case 'traffic': return <TrafficPage />;
    case 'refused': return <RefusedPage />;
    case 'users': return <Users />;
    case 'suppressions': return <Suppressions />;
    case 'throttles': return <Throttles />;
    case 'settings': return <Settings />;
    case 'endpoints': return b ? <EndpointPage key={a + '/' + b} tenant={a} name={b} /> : <Endpoints />;
    case 'audit': return <Audit />;
    case 'dlq': return a ? <Redrive key={a} id={a} /> : <Dlq />;
    case 'inbox': return <InboxPage />;
    case 'api': return <Help />;
    case 'login': go('/', true); return null;
  }
  return <Page title={t('not_found')}><Card><Empty>{t('not_found.text')}</Empty></Card></Page>;
}

/** A page that breaks leaves what stands around it, so that there is a way on. */
function Guarded() {
  const [broken] = useErrorBoundary((e) => console.error(e));
  if (!broken) return <Current />;
  return <Page title={t('broken')}><Card><Empty><p>{t('broken.text')}</p><Button kind="main" onClick={() => location.reload()}>{t('reload')}</Button></Empty></Card></Page>;
}

/** A session may end while something is typed: the page waits, unseen, for whoever it was, and for nobody else. */
function App() {
  const who = useRef('');
  if (!session.value) return null;
  const waits = !signedIn.value && isHeld();
  if (signedIn.value) who.current = session.value.key ?? '';
  return (
    <>
      {!signedIn.value && <Login waits={waits} />}
      {(signedIn.value || waits) && <div key={who.current} hidden={waits}><Frame><Guarded key={path.value} /></Frame></div>}
    </>
  );
}

await readSession().catch(() => { session.value = { live: true, scopes: [] }; });
if (signedIn.value) backToPlace();
render(<App />, document.getElementById('app') as HTMLElement);
