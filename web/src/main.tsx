// The console's start: who is signed in, then the page of the URL.
import { render } from 'preact';
import { Frame } from './frame.tsx';
import { t } from './i18n.ts';
import { Audit } from './pages/audit.tsx';
import { Campaign } from './pages/campaign.tsx';
import { CampaignNew } from './pages/campaign-new.tsx';
import { Campaigns } from './pages/campaigns.tsx';
import { Dlq } from './pages/dlq.tsx';
import { Help } from './pages/help.tsx';
import { Login } from './pages/login.tsx';
import { Message } from './pages/message.tsx';
import { Messages } from './pages/messages.tsx';
import { Overview } from './pages/overview.tsx';
import { Account, Providers } from './pages/providers.tsx';
import { Redrive } from './pages/redrive.tsx';
import { RoutePage, Routes } from './pages/routes.tsx';
import { SchedulePage } from './pages/schedule.tsx';
import { ScheduleEdit } from './pages/schedule-edit.tsx';
import { Search } from './pages/search.tsx';
import { Send } from './pages/send.tsx';
import { Suppressions } from './pages/suppressions.tsx';
import { TemplatePage } from './pages/template.tsx';
import { Templates } from './pages/templates.tsx';
import { TenantPage, Tenants } from './pages/tenants.tsx';
import { RefusedPage, TrafficPage } from './pages/traffic.tsx';
import { Users } from './pages/users.tsx';
import { go, parts } from './route.tsx';
import { readSession, session, signedIn } from './state.ts';
import { Card, Empty, Page } from './ui.tsx';
import './style.css';
import './timed.css';

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
    case 'providers': return a ? <Account key={a} name={a === 'new' ? '' : a} /> : <Providers />;
    case 'routes': return a ? <RoutePage key={a} name={a === 'new' ? '' : a} /> : <Routes />;
    case 'tenants': return a ? <TenantPage key={a} name={a === 'new' ? '' : a} /> : <Tenants />;
    case 'traffic': return <TrafficPage />;
    case 'refused': return <RefusedPage />;
    case 'users': return <Users />;
    case 'suppressions': return <Suppressions />;
    case 'audit': return <Audit />;
    case 'dlq': return a ? <Redrive key={a} id={a} /> : <Dlq />;
    case 'api': return <Help />;
    case 'login': go('/', true); return null;
  }
  return <Page title={t('not_found')}><Card><Empty>{t('not_found.text')}</Empty></Card></Page>;
}

function App() {
  if (!session.value) return null;
  return signedIn.value ? <Frame><Current /></Frame> : <Login />;
}

await readSession().catch(() => { session.value = { live: true, scopes: [] }; });
render(<App />, document.getElementById('app') as HTMLElement);
